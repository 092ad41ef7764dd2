// The one error this folder throws on purpose. Its message is a sentence for the person at the terminal
// and names the way out; nothing else needs to be printed.

export type LocalStackFault =
  | 'unsupported-host'
  | 'no-network'
  | 'untrusted'
  | 'disk'
  | 'in-use'
  | 'ports'
  | 'start-failed'
  | 'bad-option';

export class LocalStackError extends Error {
  readonly fault: LocalStackFault;

  constructor(fault: LocalStackFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LocalStackError';
    this.fault = fault;
  }
}

/** Every refusal ends with it: what works on any host. */
export const WAY_OUT =
  'Point ASTERISK_URL (http://user:password@host:port) and REDIS_URL at servers of your own instead.';

export const errorCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

/** Turns a file system error into a sentence about `path`; other errors come back as they are. */
export const diskError = (error: unknown, path: string): unknown => {
  switch (errorCode(error) ?? '') {
    case 'ENOSPC':
    case 'EDQUOT':
      return new LocalStackError('disk', `The disk that holds ${path} is full. Free some space and start again.`, { cause: error });
    case 'EACCES':
    case 'EPERM':
      return new LocalStackError('disk', `Cannot write to ${path}. Choose a directory this user may write to (FRONTDESK_DATA_DIR).`, { cause: error });
    case 'EEXIST':
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ENAMETOOLONG':
    case 'ELOOP':
      return new LocalStackError('disk', `${path} cannot be a directory (${errorCode(error)}). Choose another (FRONTDESK_DATA_DIR).`, { cause: error });
    case 'EMFILE':
    case 'ENFILE':
      return new LocalStackError('disk', 'Too many files are open on this machine. Raise the limit (ulimit -n 20000) and start again.', { cause: error });
    case 'EIO':
    case 'EROFS':
      return new LocalStackError('disk', `The disk that holds ${path} does not take what is written (${errorCode(error)}). Check it, or choose another directory (FRONTDESK_DATA_DIR).`, { cause: error });
    default:
      return error;
  }
};
