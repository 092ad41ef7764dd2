/** What a process has used, from /proc (proc(5)). */
import { readdirSync, readFileSync } from 'node:fs';

/** The kernel's USER_HZ, 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** User and system time of all its threads so far. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}

export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0) * 1024;
}

export const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
