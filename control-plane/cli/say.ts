/** Progress goes to standard error, so that standard output stays for what was asked for. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Who reads may go (`| head`, a closed terminal): a command that serves goes on, one that only prints ends in peace. */
export function outliveReaders(serving: boolean): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (!serving || error.code !== 'EPIPE') process.exit(error.code === 'EPIPE' ? 0 : 1);
    });
  }
}
