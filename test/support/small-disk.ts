/**
 * A disk of a test's own, which becomes full and gets room again: a tmpfs, whose size is changed while it is used. It
 * takes root, or another who may mount; `openDisk` resolves with null where that is not permitted. The shell that
 * mounts it ends with this process, however that ends, and takes the disk along.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, statfsSync } from 'node:fs';
import { createInterface } from 'node:readline';

export interface SmallDisk {
  /** Not a byte more than is used now; what is written into blocks that are begun goes on for up to 4 KiB a file. */
  fill(): Promise<void>;
  makeRoom(): Promise<void>;
  freeBytes(): number;
  close(): Promise<void>;
}

/** More than the least that Frontdesk wants free; nothing of it is taken from the memory before it is written. */
const size = 8 * 1_073_741_824;
const shell = 'mount -t tmpfs -o size="$2",mode=0700 tmpfs "$1" && echo yes || { echo no; exit; }; while read -r bytes; do mount -o remount,size="$bytes" "$1" && echo yes || echo no; done; umount -l "$1"';

export const openDisk = async (dir: string): Promise<SmallDisk | null> => {
  mkdirSync(dir, { recursive: true });
  const child = spawn('sh', ['-c', shell, 'sh', dir, String(size)], { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
  const ended = new Promise<void>((resolve) => { child.once('close', () => { resolve(); }); });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const said = async (): Promise<boolean> => (await answers.next()).value === 'yes';
  if (!(await said())) {
    await ended;
    return null;
  }
  const resize = (bytes: number): Promise<boolean> => {
    child.stdin.write(`${bytes}\n`);
    return said();
  };
  const used = (): number => {
    const { blocks, bfree, bsize } = statfsSync(dir);
    return (blocks - bfree) * bsize;
  };
  return {
    // something may be written between the look and the change, and a disk cannot be made smaller than what is on it
    fill: async () => { while (!(await resize(used()))); },
    makeRoom: async () => {
      if (!(await resize(size))) throw new Error('The disk could not be made larger');
    },
    freeBytes: () => {
      const { bavail, bsize } = statfsSync(dir);
      return bavail * bsize;
    },
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
};
