/**
 * Plan files (YAML) to a validated configuration, or every problem they have at once, each with file, line, path,
 * reason and way out. Reads the files and looks whether the audio they name exists; touches nothing else.
 */
import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { LineCounter, isAlias, parseDocument, visit, type Document } from 'yaml';
import type { z } from 'zod';
import { lineOf, pathText, sortProblems, type Finding, type Path, type Problem } from './problems.ts';
import { checkTogether } from '../../configuration/check.ts';
import { keyText } from '../../configuration/objects.ts';
import { warningsOf } from '../../configuration/warnings.ts';
import { reservedName, reservedNamesIn } from '../../configuration/reserved-names.ts';
import { clinicsOf, type ClinicConfig } from '../../configuration/clinics.ts';
import { checkReferences, collect, ownNumbers, type Seen } from './references.ts';
import { planSchema } from './schema.ts';
import { checkSections, filesNamed, findingOf, placeOf } from './sections.ts';
import { toObjects, type PlanObjects } from './to-objects.ts';

export interface PlanConfig {
  /** One per file, in the order of the files. */
  readonly plans: readonly PlanObjects[];
  /** What they mean, as routing would have it; audio is the files beside the plans. */
  readonly clinics: readonly ClinicConfig[];
  /** Settings that are accepted but will disappoint, each in a sentence. */
  readonly warnings: readonly string[];
}

export type LoadResult = { readonly ok: true; readonly config: PlanConfig } | { readonly ok: false; readonly problems: readonly Problem[] };

export interface PlanSource {
  /** As the user named it: shown in problems, and audio files are found beside it. */
  readonly file: string;
  readonly text: string;
}

/** Far above any clinic's plan; what is larger is some other file. */
const longestFile = 512 * 1024;
const plainFileHint = 'Give a plan file such as dialplans/riverside-dental.yaml.';

/** Never rejects for what is in or wrong with a file. */
export async function loadPlanFiles(files: readonly string[]): Promise<LoadResult> {
  const problems: Problem[] = [];
  const sources: PlanSource[] = [];
  for (const file of files) {
    const read = await readPlan(file);
    if (typeof read === 'string') sources.push({ file, text: read });
    else problems.push(read);
  }
  const result = await loadPlans(sources);
  if (problems.length === 0) return result;
  return { ok: false, problems: sortProblems([...problems, ...(result.ok ? [] : result.problems)]) };
}

async function readPlan(file: string): Promise<string | Problem> {
  const whole = (message: string, wayOut: string): Problem => ({ file, line: 1, path: '', message, wayOut });
  try {
    const info = await stat(file);
    if (!info.isFile()) return whole('is not a file', plainFileHint);
    if (info.size > longestFile) return whole(`has ${info.size} bytes; a plan has at most ${longestFile}`, plainFileHint);
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    if (error instanceof TypeError) return whole('is not UTF-8 text', 'Save it as UTF-8.');
    return whole(`cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`, 'Check its name and permissions.');
  }
}

interface Parsed {
  readonly source: PlanSource;
  readonly document: Document;
  readonly lines: LineCounter;
  readonly raw: unknown;
}

export async function loadPlans(sources: readonly PlanSource[]): Promise<LoadResult> {
  const problems: Problem[] = [];
  const parsed: Parsed[] = [];
  for (const source of sources) {
    const one = parse(source);
    if ('raw' in one) parsed.push(one);
    else problems.push(...one.problems);
  }
  const own = new Set(parsed.flatMap(({ raw }) => ownNumbers(raw)));
  const seen: Seen = new Map();
  const plans: (PlanObjects & { readonly parsed: Parsed })[] = [];
  for (const { source, document, lines, raw } of parsed) {
    const checked = planSchema.safeParse(raw, { reportInput: true });
    const findings = [
      ...(checked.success ? [] : checked.error.issues.flatMap(findingsOf)),
      ...checkReferences(raw, source.file, own, seen),
      ...checkSections(raw),
      ...(await missingAudio(raw, source.file)),
    ];
    problems.push(...findings.map((finding) => ({
      file: source.file, line: lineOf(document, lines, finding.path), path: pathText(finding.path), message: finding.message, wayOut: finding.wayOut,
    })));
    if (checked.success && findings.length === 0) plans.push({ ...toObjects(checked.data, raw, dirname(resolve(source.file))), parsed: { source, document, lines, raw } });
  }
  if (problems.length === 0) problems.push(...togetherIn(plans));
  if (problems.length > 0) return { ok: false, problems: sortProblems(problems) };
  const clinics = plans.flatMap((plan) => clinicsOf(plan.objects, (_, id) => `file:${(plan.audio.get(id) ?? id).replace(/\.wav(16)?$/, '')}`));
  return { ok: true, config: { plans, clinics, warnings: warningsOf(clinics) } };
}

/** What objects say of each other that cannot be, beyond what references.ts finds: each at its place in its file. */
function togetherIn(plans: readonly (PlanObjects & { readonly parsed: Parsed })[]): readonly Problem[] {
  const objects = new Map(plans.flatMap((plan) => plan.objects.map((object) => [keyText(object), object] as const)));
  return checkTogether(objects).flatMap(({ object, path: field, message }) => {
    const parsed = plans.find((plan) => plan.account === object.account)?.parsed;
    if (parsed === undefined) return [];
    const { source, document, lines, raw } = parsed;
    const { path, message: what, wayOut } = findingOf(placeOf(raw, object), field, message);
    return [{ file: source.file, line: lineOf(document, lines, path), path: pathText(path), message: what, wayOut }];
  });
}

function parse(source: PlanSource): Parsed | { readonly problems: readonly Problem[] } {
  const { file, text } = source;
  const whole = (message: string, wayOut: string) => ({ problems: [{ file, line: 1, path: '', message, wayOut }] });
  if (text.length > longestFile) return whole(`has ${text.length} characters; a plan has at most ${longestFile}`, plainFileHint);
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter: lines, schema: 'failsafe', prettyErrors: false, strict: true });
    const problems = document.errors.map((error): Problem => ({
      file, line: lines.linePos(error.pos[0]).line, path: '', message: `is not valid YAML: ${error.message.replace(/\s+/g, ' ').replace(/\.$/, '')}`,
      wayOut: 'Check the indentation and quotes of this line.',
    }));
    visit(document, {
      Alias: (_, alias) => {
        problems.push({
          file, line: lines.linePos(alias.range?.[0] ?? 0).line, path: '', message: `*${alias.source} is an alias, which plans do not have`,
          wayOut: 'Write out what it stands for.',
        });
        return isAlias(alias) ? visit.SKIP : undefined;
      },
    });
    if (problems.length > 0) return { problems };
    const raw = withoutBlanks(document.toJS({ maxAliasCount: 0 }));
    if (raw === undefined) return whole('is empty', 'Start from dialplans/riverside-dental.yaml.');
    const reserved = reservedNamesIn(raw).map((path): Problem => ({ file, line: lineOf(document, lines, path), path: pathText(path), ...reservedName }));
    return reserved.length > 0 ? { problems: reserved } : { source, document, lines, raw };
  } catch (error) {
    if (error instanceof RangeError) return whole('is nested too deeply to be a plan', 'Start from dialplans/riverside-dental.yaml.');
    throw error;
  }
}

/** A field that was left blank says nothing: it is as if it were not there. */
function withoutBlanks(value: unknown): unknown {
  if (value === '' || value === null) return undefined;
  if (Array.isArray(value)) return value.map((one: unknown) => withoutBlanks(one) ?? '');
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, one]) => {
    const kept = withoutBlanks(one);
    return kept === undefined ? [] : [[key, kept]];
  }));
}

function findingsOf(issue: z.core.$ZodIssue): readonly Finding[] {
  const path = issue.path as Path;
  if (issue.code === 'unrecognized_keys') {
    const waysOut = issue.message.split('\n');
    return issue.keys.map((key, i) => ({ path: [...path, key], message: 'is not a known field', wayOut: waysOut[i] ?? 'Remove it.' }));
  }
  if (issue.code === 'custom') return [{ path, message: issue.message, wayOut: String(issue.params?.['wayOut'] ?? 'Correct it.') }];
  const absent = issue.code === 'invalid_type' && issue.input === undefined;
  if (absent) return [{ path, message: 'is missing', wayOut: 'Add it.' }];
  return [{ path, message: issue.message, wayOut: 'See dialplans/riverside-dental.yaml for how it is written.' }];
}

const audioFields: readonly (readonly string[])[] = [
  ['numbers', '*', 'announcement', 'file'],
  ['numbers', '*', 'whisper', 'file'],
  ['numbers', '*', 'voicemail', 'greeting', 'file'],
];

async function missingAudio(raw: unknown, planFile: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { value, path } of [...audioFields.flatMap((where) => collect(raw, where)), ...filesNamed(raw)]) {
    const file = resolve(dirname(planFile), value);
    if (!/\.wav(16)?$/.test(file)) {
      findings.push({ path, message: `${value} is not audio the switch plays`, wayOut: 'Convert it: 16-bit mono, 8 kHz as .wav or 16 kHz as .wav16.' });
    } else if (!(await stat(file).then((info) => info.isFile(), () => false))) {
      findings.push({ path, message: `there is no file ${value}`, wayOut: 'Put it beside the plan file, or correct the name.' });
    }
  }
  return findings;
}
