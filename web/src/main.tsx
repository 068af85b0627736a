import { render } from "preact";
import { start } from "./api/live";
import { App } from "./app";
import "./style/main.css";
import { startTheme } from "./theme";

startTheme();
start();
render(<App />, document.getElementById("app")!);
