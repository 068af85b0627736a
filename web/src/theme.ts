/** Light or dark: as the system says, until somebody chooses. */

import { useEffect, useState } from "preact/hooks";

export type Theme = "auto" | "light" | "dark";
const KEY = "veriregime-theme";
const watchers = new Set<() => void>();

/** What was chosen; `auto` where the browser keeps nothing. */
export function chosen(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : "auto";
  } catch {
    return "auto";
  }
}

function apply(theme: Theme): void {
  if (theme === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  watchers.forEach((watcher) => watcher());
}

export function choose(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // It holds as long as the page is open.
  }
  apply(theme);
}

/** Takes what was chosen, here or in another tab. */
export function startTheme(): void {
  apply(chosen());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => apply(chosen()));
  addEventListener("storage", (event) => { if (event.key === KEY) apply(chosen()); });
}

const NAMES = [
  "page", "card", "raised", "line", "line-strong", "text", "muted", "accent", "high", "low", "good", "bad", "up", "down", "third", "band-high", "band-low",
] as const;
export type Colour = (typeof NAMES)[number];
export type Palette = Record<Colour, string>;

/** The colours of the style sheet as charts take them. */
function palette(): Palette {
  const probe = document.createElement("span");
  document.body.append(probe);
  const entries = NAMES.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(entries) as Palette;
}

/** The same, followed. */
export function usePalette(): Palette {
  const [colours, setColours] = useState(palette);
  useEffect(() => {
    const watcher = () => setColours(palette());
    watchers.add(watcher);
    return () => void watchers.delete(watcher);
  }, []);
  return colours;
}
