// Runs the local stack by itself, for development and for tests of one's own:
//   node control-plane/local-stack/run.ts --data-dir DIR [--cache-dir DIR] [--tools flite,sipp] [--sip-port N]
// Prints one line of JSON (urls, ports, folders) when all is ready; ends with SIGINT or SIGTERM.
import { parseArgs } from 'node:util';
import { LocalStackError, startLocalStack, type ToolName } from './local-stack.ts';

const { values } = parseArgs({
  options: {
    'data-dir': { type: 'string', default: '.frontdesk' },
    'cache-dir': { type: 'string' },
    'sip-port': { type: 'string' },
    tools: { type: 'string', default: 'flite' },
  },
});

const isTool = (name: string): name is ToolName => name === 'sipp' || name === 'flite' || name === 'espeak-ng';

try {
  const bind = process.env['FRONTDESK_BIND'];
  const externalAddress = process.env['FRONTDESK_EXTERNAL_ADDRESS'];
  const tools = values.tools.split(',').filter(isTool);
  const stack = await startLocalStack({
    dataDir: values['data-dir'],
    ...(values['cache-dir'] === undefined ? {} : { cacheDir: values['cache-dir'] }),
    ...(values['sip-port'] === undefined ? {} : { sipPort: Number(values['sip-port']) }),
    ...(bind === undefined ? {} : { bind }),
    ...(externalAddress === undefined ? {} : { externalAddress }),
    need: { asterisk: true, redis: true },
    tools,
    progress: (line) => process.stderr.write(`${line}\n`),
  });
  const commands = Object.fromEntries(await Promise.all(tools.map(async (name) => [name, await stack.tool(name)] as const)));
  process.stdout.write(`${JSON.stringify({ asterisk: stack.asterisk, redis: stack.redis, tools: commands })}\n`);

  let code = 0;
  const ended = new Promise<void>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, resolve);
    stack.onExit((name, reason) => {
      process.stderr.write(`${name} ended: ${reason}\n`);
      code = 1;
      resolve();
    });
  });
  await ended;
  await stack.stop();
  process.exitCode = code;
} catch (error) {
  if (!(error instanceof LocalStackError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
