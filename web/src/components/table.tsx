/** A table that sorts by any column; how it is sorted stands in the address. */

import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import { setQuery, useRoute } from "../route";
import { Downloads } from "./download";

export interface TableColumn<Row> {
  key: string;
  title: string;
  /** What is sorted by, and exported. */
  value: (row: Row) => number | string | boolean | null;
  cell?: (row: Row) => ComponentChildren;
  isNumber?: boolean;
  wraps?: boolean;
  hint?: string;
}

/** Rows drawn at once; more on demand. */
const SHOWN = 50;

/** Numbers by size, texts by their letters, nothing at the end. */
export function compare(left: number | string | boolean | null, right: number | string | boolean | null): number {
  if (left === null || right === null) return left === right ? 0 : left === null ? 1 : -1;
  if (typeof left === "string" && typeof right === "string") return left.localeCompare(right, "en", { numeric: true });
  return Number(left) - Number(right);
}

export function Table<Row>({ id, caption, columns, rows, rowKey, shown = SHOWN }: {
  id: string; caption: string; columns: TableColumn<Row>[]; rows: Row[]; rowKey: (row: Row) => string | number; shown?: number;
}) {
  const { query } = useRoute();
  const [limit, setLimit] = useState(shown);
  const sort = query[`sort.${id}`] ?? "";
  const [key, isDown] = sort.startsWith("-") ? [sort.slice(1), true] : [sort, false];
  const sorted = useMemo(() => {
    const column = columns.find((column) => column.key === key);
    if (!column) return rows;
    const order = [...rows].sort((left, right) => {
      const [a, b] = [column.value(left), column.value(right)];
      if (a === null || b === null) return compare(a, b);
      return isDown ? compare(b, a) : compare(a, b);
    });
    return order;
  }, [rows, columns, key, isDown]);
  const press = (column: string) => setQuery({ [`sort.${id}`]: key !== column ? `-${column}` : isDown ? column : null });
  const exported = () => Object.fromEntries(columns.map((column) => [column.key, sorted.map(column.value)]));
  return (
    <div>
      <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
        <table>
          <caption class="hidden-text">{caption}</caption>
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.key} class={column.isNumber ? "num" : undefined} scope="col" title={column.hint}
                  aria-sort={key === column.key ? (isDown ? "descending" : "ascending") : "none"}>
                  <button type="button" onClick={() => press(column.key)}>
                    {column.title}<span class="arrow" aria-hidden="true">{key === column.key ? (isDown ? "▼" : "▲") : ""}</span>
                  </button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sorted.slice(0, limit).map((row) => (
              <tr key={rowKey(row)}>
                {columns.map((column) => (
                  <td key={column.key} class={[column.isNumber ? "num" : "", column.wraps ? "wrap" : ""].join(" ").trim() || undefined}>
                    {column.cell ? column.cell(row) : (column.value(row) ?? "–")}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div class="more">
        {sorted.length > limit ? <button type="button" onClick={() => setLimit(limit * 4)}>Show more of {sorted.length}</button> : null}
        {rows.length === 0 ? <span class="muted">Nothing yet.</span> : null}
        <Downloads name={caption} columns={exported} />
      </div>
    </div>
  );
}
