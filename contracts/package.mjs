// Packs contracts/package.json as npm would publish it, installs the package into a new foundry project outside the repository,
// and compiles and runs a consumer there that knows nothing but the package:
//   node contracts/package.mjs node_modules/@foundry-rs/forge-linux-amd64/bin/forge
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const forge = resolve(process.argv[2]);
const project = mkdtempSync(join(tmpdir(), "veriregime-package-"));

const CONSUMER = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {VeriRegimeConsumer} from "@veriregime/contracts/src/consumers/VeriRegimeConsumer.sol";
import {IRegimeRiskOracle} from "@veriregime/contracts/src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "@veriregime/contracts/src/interfaces/IRiskParameters.sol";
import {MockRiskOracle} from "@veriregime/contracts/src/testing/MockRiskOracle.sol";

contract ConsumerTest {
    using VeriRegimeConsumer for IRiskParameters;

    function test_ReadsTheMock() public {
        MockRiskOracle mock = new MockRiskOracle();
        mock.setCalm("BTC-USD");
        IRiskParameters.RiskVector memory cautious = IRiskParameters.RiskVector(200_00, 130_00, 10_000, 40_00);
        (IRiskParameters.RiskVector memory terms, bool ok) = IRiskParameters(mock).termsOr("BTC-USD", cautious, 6 hours);
        require(ok && terms.borrowCollateralRatioBps == 150_00, "calm");
        mock.setStatus("BTC-USD", IRiskParameters.Status.Withheld);
        (terms, ok) = IRiskParameters(mock).termsOr("BTC-USD", cautious, 6 hours);
        require(!ok && terms.borrowCollateralRatioBps == 200_00, "cautious");
        require(IRegimeRiskOracle.submit.selector != 0, "the whole interface is there");
    }
}
`;

try {
  const packed = execFileSync("npm", ["pack", "--silent", "--pack-destination", project, join(root, "contracts")], {
    encoding: "utf8",
  }).trim();
  const modules = join(project, "node_modules");
  mkdirSync(join(modules, "@veriregime/contracts"), { recursive: true });
  execFileSync("tar", ["-xzf", join(project, packed), "-C", join(modules, "@veriregime/contracts"), "--strip-components=1"]);
  // What npm would fetch: the dependency that the package names, and the repository has installed.
  for (const name of Object.keys(JSON.parse(readFileSync(join(root, "contracts/package.json"), "utf8")).dependencies)) {
    cpSync(join(root, "node_modules", name), join(modules, name), { recursive: true });
  }
  for (const folder of ["src", "test"]) mkdirSync(join(project, folder));
  writeFileSync(join(project, "test/Consumer.t.sol"), CONSUMER);
  writeFileSync(
    join(project, "foundry.toml"),
    `[profile.default]
libs = ["node_modules"]
auto_detect_remappings = false
remappings = ["@veriregime/contracts/=node_modules/@veriregime/contracts/", "solady/=node_modules/solady/src/"]
solc = ${JSON.stringify(join(root, "contracts/solc"))}
offline = true
evm_version = "cancun"
`,
  );
  execFileSync(forge, ["test", "--root", project], { stdio: "inherit" });
} finally {
  rmSync(project, { recursive: true, force: true });
}
