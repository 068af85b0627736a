/** What a chart or table shows, as CSV and JSON. */

/** A cell of CSV. A leading sign of a formula is made text, because tables of others may name things so. */
export function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

export type Columns = Record<string, readonly unknown[]>;

/** Columns of one length as CSV, names first. */
export function csv(columns: Columns): string {
  const names = Object.keys(columns);
  const length = Math.max(0, ...names.map((name) => columns[name]!.length));
  const lines = [names.map(cell).join(",")];
  for (let index = 0; index < length; index += 1) lines.push(names.map((name) => cell(columns[name]![index])).join(","));
  return `${lines.join("\r\n")}\r\n`;
}

function save(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name.replace(/[^A-Za-z0-9._-]+/g, "-");
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** Two buttons. `columns` is asked when one is pressed. */
export function Downloads({ name, columns, json }: { name: string; columns: () => Columns; json?: () => unknown }) {
  return (
    <span class="nowrap">
      <button type="button" class="quiet" aria-label={`CSV of ${name}`} onClick={() => save(`${name}.csv`, "text/csv", csv(columns()))}>CSV</button>
      <button type="button" class="quiet" aria-label={`JSON of ${name}`} onClick={() => save(`${name}.json`, "application/json", JSON.stringify(json ? json() : columns(), null, 1))}>JSON</button>
    </span>
  );
}
