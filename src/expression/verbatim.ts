import type { Code } from './code.ts';
import type { Compiler } from './compiler.ts';
import { compileSelect, memberName } from './member.ts';
import type { Node, Select } from './syntax.ts';
import { DYN } from './types.ts';
import type { VerbatimSource } from './value.ts';

/** Names of calls, by whether each is one result or a list of them. */
export type CallKinds = Readonly<Record<string, 'one' | 'each'>>;

/** What is taken over as it came: the whole body of a call, or a member of something. */
export type Verbatims = ReadonlyMap<Node, 'body' | 'member'>;

/**
 * Finds each `NAME.body`, and each member of anything, that an expression puts into its result without looking into it: as
 * the whole, as a member or item of a literal (one that is merged, too), on a side of `? :`, or as what `map` makes of a list.
 */
export function verbatimNodes(node: Node, calls: CallKinds): Verbatims {
  const found = new Map<Node, 'body' | 'member'>();
  collect(node, new Map(Object.entries(calls)), found);
  return found;
}

/** What a name stands for: a result, a list of results, or (null) anything else. */
type Names = ReadonlyMap<string, 'one' | 'each' | null>;

function collect(node: Node, names: Names, found: Map<Node, 'body' | 'member'>): void {
  switch (node.kind) {
    case 'map':
      for (const [, value] of node.entries) collect(value, names, found);
      return;
    case 'list':
      for (const item of node.items) collect(item, names, found);
      return;
    case 'conditional':
      collect(node.yes, names, found);
      collect(node.no, names, found);
      return;
    case 'select':
      if (node.name === 'body' && node.base.kind === 'identifier' && names.get(node.base.name) === 'one')
        found.set(node, 'body');
      else found.set(node, 'member');
      return;
    case 'index':
      if (memberName(node) !== null) found.set(node, 'member');
      return;
    case 'call': {
      const [variable] = node.args;
      // Members of a literal are put into what `merge` makes as they are.
      if (node.name === 'merge')
        for (const part of [node.receiver, ...node.args])
          if (part?.kind === 'map') collect(part, names, found);
      if (node.name !== 'map' || node.receiver === null || variable?.kind !== 'identifier') return;
      const { receiver } = node;
      const item = receiver.kind === 'identifier' && names.get(receiver.name) === 'each' ? 'one' : null;
      collect(node.args.at(-1)!, new Map([...names, [variable.name, item]]), found);
    }
  }
}

/** As the member itself, but its bytes are taken where there are any. */
export function compileVerbatim(compiler: Compiler, node: Select): Code {
  const read = compileSelect(compiler, node);
  const base = compiler.compile(node.base);
  if (read.type.kind !== 'dyn') return read;
  return { type: DYN, run: (frame) => (base.run(frame) as VerbatimSource).verbatim() };
}
