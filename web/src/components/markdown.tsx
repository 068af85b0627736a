/**
 * The markdown of model cards as elements: headings, paragraphs, lists, tables, code, emphasis. No HTML passes, no picture is
 * fetched, and links are followed only where they lead to the web.
 */

import type { ComponentChildren } from "preact";

type Block =
  | { kind: "heading"; level: number; text: string }
  | { kind: "paragraph" | "code"; text: string }
  | { kind: "list"; items: string[]; isNumbered: boolean }
  | { kind: "table"; head: string[]; rows: string[][] };

/** Longest text that is taken apart. */
const MAX_CHARACTERS = 400_000;

const cells = (line: string): string[] => line.trim().replace(/^\|/, "").replace(/\|$/, "").split("|").map((cell) => cell.trim());
const isRule = (line: string | undefined): boolean => line !== undefined && line.includes("-") && /^[\s|:-]+$/.test(line);

/** Text as blocks. */
export function blocks(text: string): Block[] {
  const lines = text.slice(0, MAX_CHARACTERS).split(/\r?\n/);
  const found: Block[] = [];
  let at = 0;
  const take = (matches: (line: string) => boolean): string[] => {
    const taken: string[] = [];
    while (at < lines.length && matches(lines[at]!)) taken.push(lines[at++]!);
    return taken;
  };
  while (at < lines.length) {
    const line = lines[at]!;
    const heading = /^(#{1,6})\s+(.*)$/.exec(line);
    const item = /^\s*(?:[-*+]|\d+[.)])\s+/;
    if (line.trim() === "") at += 1;
    else if (heading) { found.push({ kind: "heading", level: heading[1]!.length, text: heading[2]! }); at += 1; }
    else if (line.startsWith("```")) {
      at += 1;
      const code = take((line) => !line.startsWith("```"));
      at += 1;
      found.push({ kind: "code", text: code.join("\n") });
    } else if (line.includes("|") && isRule(lines[at + 1]) && lines[at + 1]!.includes("|")) {
      at += 2;
      const rows = take((line) => line.includes("|") && line.trim() !== "");
      found.push({ kind: "table", head: cells(line), rows: rows.map(cells) });
    } else if (item.test(line)) {
      const isNumbered = /^\s*\d/.test(line);
      const items = take((line) => item.test(line) || /^\s{2,}\S/.test(line)).reduce<string[]>((items, line) => {
        if (item.test(line)) items.push(line.replace(item, ""));
        else items[items.length - 1] = `${items.at(-1) ?? ""} ${line.trim()}`;
        return items;
      }, []);
      found.push({ kind: "list", items, isNumbered });
    } else {
      const first = lines[at++]!;
      const rest = take((line) => line.trim() !== "" && !/^(#{1,6}\s|```)/.test(line) && !item.test(line));
      found.push({ kind: "paragraph", text: [first, ...rest].join(" ") });
    }
  }
  return found;
}

/** An address that may be followed, or `null`. */
export function safeLink(address: string): string | null {
  return /^https?:\/\/[^\s"'<>]+$/i.test(address) ? address : null;
}

const INLINE = /(`[^`]+`)|(!\[[^\]]*\]\([^)\s]*\))|(\[[^\]]+\]\([^)\s]*\))|(\*\*[^*]+\*\*)|(\*[^*\s][^*]*\*)/;

/** Code, emphasis and links within a line. */
export function inline(text: string): ComponentChildren[] {
  const parts: ComponentChildren[] = [];
  let rest = text;
  for (let match = INLINE.exec(rest); match; match = INLINE.exec(rest)) {
    if (match.index > 0) parts.push(rest.slice(0, match.index));
    const [whole, code, picture, link, strong] = match;
    if (code) parts.push(<code>{code.slice(1, -1)}</code>);
    else if (picture) parts.push(<span class="muted small">[plot: {/^!\[([^\]]*)\]/.exec(picture)?.[1] ?? ""}]</span>);
    else if (link) {
      const [, words = "", address = ""] = /^\[([^\]]+)\]\(([^)\s]*)\)$/.exec(link) ?? [];
      const safe = safeLink(address);
      parts.push(safe ? <a href={safe} rel="noreferrer noopener" target="_blank">{words}</a> : words);
    } else if (strong) parts.push(<strong>{strong.slice(2, -2)}</strong>);
    else parts.push(<em>{whole.slice(1, -1)}</em>);
    rest = rest.slice(match.index + whole.length);
  }
  if (rest) parts.push(rest);
  return parts;
}

export function Markdown({ text, label }: { text: string; label: string }) {
  return <div class="prose">{blocks(text).map((block, at) => <Shown key={at} block={block} label={`${label} ${at + 1}`} />)}</div>;
}

function Shown({ block, label }: { block: Block; label: string }) {
  switch (block.kind) {
    case "heading":
      return block.level === 1 ? <h2>{inline(block.text)}</h2> : block.level === 2 ? <h3>{inline(block.text)}</h3> : <h4>{inline(block.text)}</h4>;
    case "code":
      return <pre tabIndex={0}><code>{block.text}</code></pre>;
    case "list":
      return block.isNumbered ? <ol>{block.items.map((item, at) => <li key={at}>{inline(item)}</li>)}</ol> : <ul>{block.items.map((item, at) => <li key={at}>{inline(item)}</li>)}</ul>;
    case "table":
      return (
        <div class="scroll" tabIndex={0} role="region" aria-label={`Table, ${label}`}>
          <table>
            <thead><tr>{block.head.map((cell, at) => (cell === "" ? <td key={at} /> : <th scope="col" key={at}>{inline(cell)}</th>))}</tr></thead>
            <tbody>{block.rows.map((row, at) => <tr key={at}>{row.map((cell, index) => <td key={index}>{inline(cell)}</td>)}</tr>)}</tbody>
          </table>
        </div>
      );
    default:
      return <p>{inline(block.text)}</p>;
  }
}
