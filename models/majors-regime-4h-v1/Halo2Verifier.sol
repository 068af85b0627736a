// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

/// @notice Verifies proofs of 704 bytes for 57 public inputs of one network. Reverts where one does not hold.
contract Halo2Verifier {
    function verifyProof(bytes calldata, uint256[] calldata) external view returns (bool) {
        assembly ("memory-safe") {
            function on_curve(x, y) {
                let p := 0x30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47
                let cube := mulmod(x, mulmod(x, x, p), p)
                if iszero(and(and(lt(x, p), lt(y, p)), eq(mulmod(y, y, p), addmod(cube, 3, p)))) { revert(0, 0) }
            }
            function scalar(at) -> value {
                value := calldataload(at)
                if iszero(lt(value, 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001)) { revert(0, 0) }
            }
            // The one encoding of a proof and public inputs of these lengths.
            if iszero(
                and(
                    and(eq(calldatasize(), 0xa64), eq(calldataload(0x04), 0x40)),
                    and(
                        eq(calldataload(0x24), 0x320),
                        and(eq(calldataload(0x44), 0x2c0), eq(calldataload(0x324), 0x39))
                    )
                )
            ) { revert(0, 0) }
            mstore(0, 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001)
            let success := true
mstore8(0x20, 0)
mstore(0x80, 383066300213843597621676391910038787376973736333668128756299928730537967677)
{
let x := calldataload(0x64)
mstore(0xc0, x)
let y := calldataload(0x84)
mstore(0xe0, y)
on_curve(x, y)
}
{
let x := calldataload(0xa4)
mstore(0x100, x)
let y := calldataload(0xc4)
mstore8(0x20, 0)
mstore(0x120, y)
on_curve(x, y)
}
{
mstore(0x820, mload(0x80))
let feature := 0x344
let output := 0x944
for { let to := 0x840 } lt(to, 0xf60) { to := add(to, 0x260) } {
calldatacopy(to, feature, 0x200)
calldatacopy(add(to, 0x200), output, 0x60)
feature := add(feature, 0x200)
output := add(output, 0x60)
}
calldatacopy(0xf60, 0x64, 0x80)
mstore(0x140, keccak256(0x820, 0x7c0))
}
{
let hash := mload(0x140)
mstore(0x160, mod(hash, mload(0)))
mstore(0x180, hash)
}
mstore8(416, 1)
mstore(0x1a0, keccak256(0x180, 33))
{
mstore8(0x20, 0)
let hash := mload(0x1a0)
mstore(0x1c0, mod(hash, mload(0)))
mstore(0x1e0, hash)
}
mstore8(512, 1)
mstore(0x200, keccak256(0x1e0, 33))
{
let hash := mload(0x200)
mstore(0x220, mod(hash, mload(0)))
mstore(0x240, hash)
}
{
mstore8(0x20, 0)
let x := calldataload(0xe4)
mstore(0x260, x)
let y := calldataload(0x104)
mstore(0x280, y)
on_curve(x, y)
}
mstore(0x2a0, keccak256(0x240, 96))
{
let hash := mload(0x2a0)
mstore(0x2c0, mod(hash, mload(0)))
mstore(0x2e0, hash)
}
mstore8(0x20, 0)
{
let x := calldataload(0x124)
mstore(0x300, x)
let y := calldataload(0x144)
mstore(0x320, y)
on_curve(x, y)
}
{
let x := calldataload(0x164)
mstore(0x340, x)
let y := calldataload(0x184)
mstore(0x360, y)
mstore8(0x20, 0)
on_curve(x, y)
}
mstore(0x380, keccak256(0x2e0, 160))
{
let hash := mload(0x380)
mstore(0x3a0, mod(hash, mload(0)))
mstore(0x3c0, hash)
}
mstore(0x3e0, scalar(0x1a4))
mstore(0x400, scalar(0x1c4))
mstore(0x420, scalar(0x1e4))
mstore(0x440, scalar(0x204))
mstore8(0x20, 0)
mstore(0x460, scalar(0x224))
mstore(0x480, scalar(0x244))
mstore(0x4a0, scalar(0x264))
mstore(0x4c0, scalar(0x284))
mstore(0x4e0, keccak256(0x3c0, 288))
{
let hash := mload(0x4e0)
mstore(0x500, mod(hash, mload(0)))
mstore(0x520, hash)
}
mstore8(1344, 1)
mstore(0x540, keccak256(0x520, 33))
mstore8(0x20, 0)
{
let hash := mload(0x540)
mstore(0x560, mod(hash, mload(0)))
mstore(0x580, hash)
}
{
let x := calldataload(0x2a4)
mstore(0x5a0, x)
let y := calldataload(0x2c4)
mstore(0x5c0, y)
on_curve(x, y)
}
mstore8(0x20, 0)
mstore(0x5e0, keccak256(0x580, 96))
{
let hash := mload(0x5e0)
mstore(0x600, mod(hash, mload(0)))
mstore(0x620, hash)
}
{
let x := calldataload(0x2e4)
mstore(0x640, x)
let y := calldataload(0x304)
mstore(0x660, y)
on_curve(x, y)
mstore8(0x20, 0)
}
mstore(0x680, mulmod(mload(0x3a0), mload(0x3a0), mload(0)))
mstore(0x6a0, mulmod(mload(0x680), mload(0x680), mload(0)))
mstore(0x6c0, mulmod(mload(0x6a0), mload(0x6a0), mload(0)))
mstore(0x6e0, mulmod(mload(0x6c0), mload(0x6c0), mload(0)))
mstore(0x700, mulmod(mload(0x6e0), mload(0x6e0), mload(0)))
mstore(0x720, mulmod(mload(0x700), mload(0x700), mload(0)))
mstore(0x740, mulmod(mload(0x720), mload(0x720), mload(0)))
mstore(0x760, mulmod(mload(0x740), mload(0x740), mload(0)))
mstore(0x780, mulmod(mload(0x760), mload(0x760), mload(0)))
mstore(0x7a0, addmod(mload(0x780), 21888242871839275222246405745257275088548364400416034343698204186575808495616, mload(0)))
mstore(0x7c0, mulmod(mload(0x7a0), 21845492397480214137827955734036069473141043376196471776620668631523902619649, mload(0)))
mstore8(0x20, 0)
mstore(0x7e0, mulmod(mload(0x7c0), 1, mload(0)))
{
let r := mload(0)
let z := add(mload(0x3a0), r)
let w := 1
let n := 0
let d := 1
for { let at := 0x840 } lt(at, 0xf60) { w := mulmod(w, 12894892339029477017882228414506836909090745994232626272896600373105021105574, r) } {
for { let next := add(at, 0x260) } lt(at, next) { at := add(at, 0x20) } {
let x := mload(at)
success := and(success, lt(x, r))
let f := sub(z, w)
n := add(mulmod(n, f, r), mulmod(mulmod(x, w, r), d, r))
d := mulmod(d, f, r)
w := mulmod(w, 6252951856119339508807713076978770803512896272623217303779254502899773638908, r)
}
}
mstore(0xa0, n)
mstore(0x800, d)
}
{
let prod := mload(0x800)
prod := mulmod(mload(0x7a0), prod, mload(0))
mstore(0x820, prod)
}
mstore(0x860, 32)
mstore(0x880, 32)
mstore(0x8a0, 32)
mstore(0x8c0, mload(0x820))
mstore(0x8e0, 21888242871839275222246405745257275088548364400416034343698204186575808495615)
mstore8(0x20, 0)
mstore(0x900, 21888242871839275222246405745257275088548364400416034343698204186575808495617)
success := and(eq(staticcall(gas(), 0x5, 0x860, 0xc0, 0x840, 0x20), 1), success)
{
let inv := mload(0x840)
let v
v := mload(0x7a0)
mstore(1952, mulmod(mload(0x800), inv, mload(0)))
inv := mulmod(v, inv, mload(0))
mstore(0x800, inv)
}
mstore(0x920, mulmod(mload(0x7e0), mload(0x800), mload(0)))
{
mstore8(0x20, 0)
let result := mulmod(mload(0x920), mload(0xa0), mload(0))
mstore(2368, result)
}
mstore(0x960, addmod(3, sub(mload(0), mload(0x4a0)), mload(0)))
mstore(0x980, mulmod(mload(0x960), mload(0x4a0), mload(0)))
mstore(0x9a0, addmod(mload(0x440), sub(mload(0), mload(0x420)), mload(0)))
mstore(0x9c0, mulmod(mload(0x9a0), mload(0x980), mload(0)))
mstore(0x9e0, addmod(mload(0x3e0), 1, mload(0)))
mstore(0xa00, mulmod(mload(0x9e0), mload(0x460), mload(0)))
mstore(0xa20, mulmod(mload(0xa00), 2, mload(0)))
mstore(0xa40, addmod(mload(0x9c0), sub(mload(0), mload(0xa20)), mload(0)))
mstore(0xa60, mulmod(mload(0x2c0), mload(0xa40), mload(0)))
mstore8(0x20, 0)
mstore(0xa80, addmod(mload(0x400), sub(mload(0), mload(0x3e0)), mload(0)))
mstore(0xaa0, mulmod(mload(0xa80), mload(0x980), mload(0)))
mstore(0xac0, mulmod(mload(0x420), mload(0x420), mload(0)))
mstore(0xae0, addmod(mload(0xac0), 1, mload(0)))
mstore(0xb00, mulmod(mload(0xae0), mload(0x480), mload(0)))
mstore(0xb20, mulmod(mload(0xb00), 2, mload(0)))
mstore(0xb40, addmod(mload(0xaa0), sub(mload(0), mload(0xb20)), mload(0)))
mstore(0xb60, addmod(mload(0xa60), mload(0xb40), mload(0)))
mstore(0xb80, mulmod(mload(0x2c0), mload(0xb60), mload(0)))
mstore(0xba0, addmod(mload(0x4a0), 21888242871839275222246405745257275088548364400416034343698204186575808495616, mload(0)))
mstore(0xbc0, mulmod(mload(0xba0), mload(0x4a0), mload(0)))
mstore(0xbe0, mulmod(mload(0x3e0), mload(0xbc0), mload(0)))
mstore8(0x20, 0)
mstore(0xc00, mulmod(mload(0x940), 2, mload(0)))
mstore(0xc20, addmod(mload(0xbe0), sub(mload(0), mload(0xc00)), mload(0)))
mstore(0xc40, addmod(mload(0xb80), mload(0xc20), mload(0)))
mstore(0xc60, mulmod(mload(0x2c0), mload(0xc40), mload(0)))
mstore(0xc80, mulmod(mload(0x420), mload(0xbc0), mload(0)))
mstore(0xca0, addmod(mload(0xc60), mload(0xc80), mload(0)))
mstore(0xcc0, mulmod(mload(0x780), mload(0x780), mload(0)))
mstore(0xce0, mulmod(1, mload(0x780), mload(0)))
mstore(0xd00, mulmod(mload(0xca0), mload(0x7a0), mload(0)))
mstore(0xd20, mulmod(mload(0x3a0), 1, mload(0)))
mstore(0xd40, addmod(mload(0x600), sub(mload(0), mload(0xd20)), mload(0)))
mstore(0xd60, mulmod(mload(0x3a0), 6252951856119339508807713076978770803512896272623217303779254502899773638908, mload(0)))
mstore8(0x20, 0)
mstore(0xd80, addmod(mload(0x600), sub(mload(0), mload(0xd60)), mload(0)))
mstore(0xda0, mulmod(mload(0x3a0), 2321725828395863955905431909371094075714398087679687332334167958921031969347, mload(0)))
mstore(0xdc0, addmod(mload(0x600), sub(mload(0), mload(0xda0)), mload(0)))
mstore(0xde0, mulmod(19566517043443411266340973835886181012833966312736347011364036227654776526271, mload(0x3a0), mload(0)))
mstore(0xe00, mulmod(mload(0xde0), 1, mload(0)))
{
let result := mulmod(mload(0x600), mload(0xde0), mload(0))
result := addmod(mulmod(mload(0x3a0), sub(mload(0), mload(0xe00)), mload(0)), result, mload(0))
mstore(3616, result)
}
mstore(0xe40, mulmod(2321725828395863955905431909371094075714398087679687332334167958921031969346, mload(0x3a0), mload(0)))
mstore(0xe60, mulmod(mload(0xe40), 2321725828395863955905431909371094075714398087679687332334167958921031969347, mload(0)))
mstore8(0x20, 0)
{
let result := mulmod(mload(0x600), mload(0xe40), mload(0))
result := addmod(mulmod(mload(0x3a0), sub(mload(0), mload(0xe60)), mload(0)), result, mload(0))
mstore(3712, result)
}
mstore(0xea0, mulmod(1, mload(0xd40), mload(0)))
mstore(0xec0, mulmod(mload(0xea0), mload(0xdc0), mload(0)))
mstore(0xee0, mulmod(15635291015719935713438692668278504285035468127792817039918949683676034856710, mload(0x3a0), mload(0)))
mstore(0xf00, mulmod(mload(0xee0), 1, mload(0)))
{
let result := mulmod(mload(0x600), mload(0xee0), mload(0))
result := addmod(mulmod(mload(0x3a0), sub(mload(0), mload(0xf00)), mload(0)), result, mload(0))
mstore8(0x20, 0)
mstore(3872, result)
}
mstore(0xf40, mulmod(6252951856119339508807713076978770803512896272623217303779254502899773638907, mload(0x3a0), mload(0)))
mstore(0xf60, mulmod(mload(0xf40), 6252951856119339508807713076978770803512896272623217303779254502899773638908, mload(0)))
{
let result := mulmod(mload(0x600), mload(0xf40), mload(0))
result := addmod(mulmod(mload(0x3a0), sub(mload(0), mload(0xf60)), mload(0)), result, mload(0))
mstore(3968, result)
}
mstore(0xfa0, mulmod(mload(0xea0), mload(0xd80), mload(0)))
{
let result := mulmod(mload(0x600), 1, mload(0))
mstore8(0x20, 0)
result := addmod(mulmod(mload(0x3a0), 21888242871839275222246405745257275088548364400416034343698204186575808495616, mload(0)), result, mload(0))
mstore(4032, result)
}
{
let prod := mload(0xe20)
prod := mulmod(mload(0xe80), prod, mload(0))
mstore(0xfe0, prod)
prod := mulmod(mload(0xf20), prod, mload(0))
mstore(0x1000, prod)
prod := mulmod(mload(0xf80), prod, mload(0))
mstore(0x1020, prod)
prod := mulmod(mload(0xfa0), prod, mload(0))
mstore8(0x20, 0)
mstore(0x1040, prod)
prod := mulmod(mload(0xfc0), prod, mload(0))
mstore(0x1060, prod)
prod := mulmod(mload(0xea0), prod, mload(0))
mstore(0x1080, prod)
}
mstore(0x10c0, 32)
mstore(0x10e0, 32)
mstore(0x1100, 32)
mstore(0x1120, mload(0x1080))
mstore(0x1140, 21888242871839275222246405745257275088548364400416034343698204186575808495615)
mstore(0x1160, 21888242871839275222246405745257275088548364400416034343698204186575808495617)
mstore8(0x20, 0)
success := and(eq(staticcall(gas(), 0x5, 0x10c0, 0xc0, 0x10a0, 0x20), 1), success)
{
let inv := mload(0x10a0)
let v
v := mload(0xea0)
mstore(3744, mulmod(mload(0x1060), inv, mload(0)))
inv := mulmod(v, inv, mload(0))
v := mload(0xfc0)
mstore(4032, mulmod(mload(0x1040), inv, mload(0)))
inv := mulmod(v, inv, mload(0))
v := mload(0xfa0)
mstore(4000, mulmod(mload(0x1020), inv, mload(0)))
mstore8(0x20, 0)
inv := mulmod(v, inv, mload(0))
v := mload(0xf80)
mstore(3968, mulmod(mload(0x1000), inv, mload(0)))
inv := mulmod(v, inv, mload(0))
v := mload(0xf20)
mstore(3872, mulmod(mload(0xfe0), inv, mload(0)))
inv := mulmod(v, inv, mload(0))
v := mload(0xe80)
mstore(3712, mulmod(mload(0xe20), inv, mload(0)))
inv := mulmod(v, inv, mload(0))
mstore(0xe20, inv)
}
mstore8(0x20, 0)
{
let result := mload(0xe20)
result := addmod(mload(0xe80), result, mload(0))
mstore(4480, result)
}
mstore(0x11a0, mulmod(mload(0xec0), mload(0xfa0), mload(0)))
{
let result := mload(0xf20)
result := addmod(mload(0xf80), result, mload(0))
mstore(4544, result)
}
mstore(0x11e0, mulmod(mload(0xec0), mload(0xea0), mload(0)))
mstore8(0x20, 0)
{
let result := mload(0xfc0)
mstore(4608, result)
}
{
let prod := mload(0x1180)
prod := mulmod(mload(0x11c0), prod, mload(0))
mstore(0x1220, prod)
prod := mulmod(mload(0x1200), prod, mload(0))
mstore(0x1240, prod)
}
mstore(0x1280, 32)
mstore8(0x20, 0)
mstore(0x12a0, 32)
mstore(0x12c0, 32)
mstore(0x12e0, mload(0x1240))
mstore(0x1300, 21888242871839275222246405745257275088548364400416034343698204186575808495615)
mstore(0x1320, 21888242871839275222246405745257275088548364400416034343698204186575808495617)
success := and(eq(staticcall(gas(), 0x5, 0x1280, 0xc0, 0x1260, 0x20), 1), success)
{
let inv := mload(0x1260)
let v
v := mload(0x1200)
mstore(4608, mulmod(mload(0x1220), inv, mload(0)))
inv := mulmod(v, inv, mload(0))
mstore8(0x20, 0)
v := mload(0x11c0)
mstore(4544, mulmod(mload(0x1180), inv, mload(0)))
inv := mulmod(v, inv, mload(0))
mstore(0x1180, inv)
}
mstore(0x1340, mulmod(mload(0x11a0), mload(0x11c0), mload(0)))
mstore(0x1360, mulmod(mload(0x11e0), mload(0x1200), mload(0)))
mstore(0x1380, mulmod(mload(0x500), mload(0x500), mload(0)))
mstore(0x13a0, mulmod(mload(0x1380), mload(0x500), mload(0)))
mstore(0x13c0, mulmod(mload(0x13a0), mload(0x500), mload(0)))
mstore(0x13e0, mulmod(mload(0x13c0), mload(0x500), mload(0)))
mstore(0x1400, mulmod(mload(0x560), mload(0x560), mload(0)))
mstore8(0x20, 0)
mstore(0x1420, mulmod(mload(0x1400), mload(0x560), mload(0)))
{
let result := mulmod(mload(0x3e0), mload(0xe20), mload(0))
result := addmod(mulmod(mload(0x400), mload(0xe80), mload(0)), result, mload(0))
mstore(5184, result)
}
mstore(0x1460, mulmod(mload(0x1440), mload(0x1180), mload(0)))
mstore(0x1480, mulmod(sub(mload(0), mload(0x1460)), 1, mload(0)))
mstore(0x14a0, mulmod(mload(0x1480), 1, mload(0)))
mstore(0x14c0, mulmod(1, mload(0x11a0), mload(0)))
{
let result := mulmod(mload(0x420), mload(0xf20), mload(0))
mstore8(0x20, 0)
result := addmod(mulmod(mload(0x440), mload(0xf80), mload(0)), result, mload(0))
mstore(5344, result)
}
mstore(0x1500, mulmod(mload(0x14e0), mload(0x1340), mload(0)))
mstore(0x1520, mulmod(sub(mload(0), mload(0x1500)), 1, mload(0)))
mstore(0x1540, mulmod(mload(0x14c0), 1, mload(0)))
mstore(0x1560, mulmod(mload(0x1520), mload(0x560), mload(0)))
mstore(0x1580, mulmod(mload(0x1540), mload(0x560), mload(0)))
mstore(0x15a0, addmod(mload(0x14a0), mload(0x1560), mload(0)))
mstore(0x15c0, mulmod(1, mload(0x11e0), mload(0)))
{
let result := mulmod(mload(0x460), mload(0xfc0), mload(0))
mstore8(0x20, 0)
mstore(5600, result)
}
mstore(0x1600, mulmod(mload(0x15e0), mload(0x1360), mload(0)))
mstore(0x1620, mulmod(sub(mload(0), mload(0x1600)), 1, mload(0)))
mstore(0x1640, mulmod(mload(0x15c0), 1, mload(0)))
{
let result := mulmod(mload(0x480), mload(0xfc0), mload(0))
mstore(5728, result)
}
mstore(0x1680, mulmod(mload(0x1660), mload(0x1360), mload(0)))
mstore(0x16a0, mulmod(sub(mload(0), mload(0x1680)), mload(0x500), mload(0)))
mstore(0x16c0, mulmod(mload(0x15c0), mload(0x500), mload(0)))
mstore8(0x20, 0)
mstore(0x16e0, addmod(mload(0x1620), mload(0x16a0), mload(0)))
{
let result := mulmod(mload(0x4a0), mload(0xfc0), mload(0))
mstore(5888, result)
}
mstore(0x1720, mulmod(mload(0x1700), mload(0x1360), mload(0)))
mstore(0x1740, mulmod(sub(mload(0), mload(0x1720)), mload(0x1380), mload(0)))
mstore(0x1760, mulmod(mload(0x15c0), mload(0x1380), mload(0)))
mstore(0x1780, addmod(mload(0x16e0), mload(0x1740), mload(0)))
mstore(0x17a0, mulmod(mload(0xce0), mload(0x11e0), mload(0)))
{
let result := mulmod(mload(0xd00), mload(0xfc0), mload(0))
mstore8(0x20, 0)
mstore(6080, result)
}
mstore(0x17e0, mulmod(mload(0x17c0), mload(0x1360), mload(0)))
mstore(0x1800, mulmod(sub(mload(0), mload(0x17e0)), mload(0x13a0), mload(0)))
mstore(0x1820, mulmod(mload(0x15c0), mload(0x13a0), mload(0)))
mstore(0x1840, mulmod(mload(0x17a0), mload(0x13a0), mload(0)))
mstore(0x1860, addmod(mload(0x1780), mload(0x1800), mload(0)))
{
let result := mulmod(mload(0x4c0), mload(0xfc0), mload(0))
mstore(6272, result)
}
mstore(0x18a0, mulmod(mload(0x1880), mload(0x1360), mload(0)))
mstore8(0x20, 0)
mstore(0x18c0, mulmod(sub(mload(0), mload(0x18a0)), mload(0x13c0), mload(0)))
mstore(0x18e0, mulmod(mload(0x15c0), mload(0x13c0), mload(0)))
mstore(0x1900, addmod(mload(0x1860), mload(0x18c0), mload(0)))
mstore(0x1920, mulmod(mload(0x1900), mload(0x1400), mload(0)))
mstore(0x1940, mulmod(mload(0x1640), mload(0x1400), mload(0)))
mstore(0x1960, mulmod(mload(0x16c0), mload(0x1400), mload(0)))
mstore(0x1980, mulmod(mload(0x1760), mload(0x1400), mload(0)))
mstore(0x19a0, mulmod(mload(0x1820), mload(0x1400), mload(0)))
mstore(0x19c0, mulmod(mload(0x1840), mload(0x1400), mload(0)))
mstore(0x19e0, mulmod(mload(0x18e0), mload(0x1400), mload(0)))
mstore(0x1a00, addmod(mload(0x15a0), mload(0x1920), mload(0)))
mstore(0x1a20, mulmod(1, mload(0xec0), mload(0)))
mstore8(0x20, 0)
mstore(0x1a40, mulmod(1, mload(0x600), mload(0)))
mstore(0x1a60, 0x0000000000000000000000000000000000000000000000000000000000000001)
mstore(0x1a80, 0x0000000000000000000000000000000000000000000000000000000000000002)
mstore(0x1aa0, mload(0x1a00))
success := and(eq(staticcall(gas(), 0x7, 0x1a60, 0x60, 0x1a60, 0x40), 1), success)
mstore(0x1ac0, mload(0x1a60))
mstore(0x1ae0, mload(0x1a80))
mstore(0x1b00, mload(0xc0))
mstore(0x1b20, mload(0xe0))
success := and(eq(staticcall(gas(), 0x6, 0x1ac0, 0x80, 0x1ac0, 0x40), 1), success)
mstore(0x1b40, mload(0x100))
mstore(0x1b60, mload(0x120))
mstore8(0x20, 0)
mstore(0x1b80, mload(0x1580))
success := and(eq(staticcall(gas(), 0x7, 0x1b40, 0x60, 0x1b40, 0x40), 1), success)
mstore(0x1ba0, mload(0x1ac0))
mstore(0x1bc0, mload(0x1ae0))
mstore(0x1be0, mload(0x1b40))
mstore(0x1c00, mload(0x1b60))
success := and(eq(staticcall(gas(), 0x6, 0x1ba0, 0x80, 0x1ba0, 0x40), 1), success)
mstore(0x1c20, 0x13e57b55f86303af08ae8813f44b386460c861367dfc245be5fd0c72189a2624)
mstore(0x1c40, 0x005a240e666789535eb7be5de050fef3a1c4113801b2ef837458288b33b36b0f)
mstore(0x1c60, mload(0x1940))
success := and(eq(staticcall(gas(), 0x7, 0x1c20, 0x60, 0x1c20, 0x40), 1), success)
mstore(0x1c80, mload(0x1ba0))
mstore8(0x20, 0)
mstore(0x1ca0, mload(0x1bc0))
mstore(0x1cc0, mload(0x1c20))
mstore(0x1ce0, mload(0x1c40))
success := and(eq(staticcall(gas(), 0x6, 0x1c80, 0x80, 0x1c80, 0x40), 1), success)
mstore(0x1d00, 0x13a85ee4781c831f58ed030ee426d8dae31fd4246bd2a2c5fe5f5988dc0dd78c)
mstore(0x1d20, 0x2479528338d677b02b4216f76a48b14f8342148dc947f6794fcae824e285df41)
mstore(0x1d40, mload(0x1960))
success := and(eq(staticcall(gas(), 0x7, 0x1d00, 0x60, 0x1d00, 0x40), 1), success)
mstore(0x1d60, mload(0x1c80))
mstore(0x1d80, mload(0x1ca0))
mstore(0x1da0, mload(0x1d00))
mstore(0x1dc0, mload(0x1d20))
mstore8(0x20, 0)
success := and(eq(staticcall(gas(), 0x6, 0x1d60, 0x80, 0x1d60, 0x40), 1), success)
mstore(0x1de0, 0x08f497b759c3915b2130d1da4969a4f4a75abe88d3cdc25403cad3364855dfb0)
mstore(0x1e00, 0x1f98555e9734b9a107852578887e88c7d69e531ca5e3be7fac0446652b4e7c87)
mstore(0x1e20, mload(0x1980))
success := and(eq(staticcall(gas(), 0x7, 0x1de0, 0x60, 0x1de0, 0x40), 1), success)
mstore(0x1e40, mload(0x1d60))
mstore(0x1e60, mload(0x1d80))
mstore(0x1e80, mload(0x1de0))
mstore(0x1ea0, mload(0x1e00))
success := and(eq(staticcall(gas(), 0x6, 0x1e40, 0x80, 0x1e40, 0x40), 1), success)
mstore(0x1ec0, mload(0x300))
mstore(0x1ee0, mload(0x320))
mstore8(0x20, 0)
mstore(0x1f00, mload(0x19a0))
success := and(eq(staticcall(gas(), 0x7, 0x1ec0, 0x60, 0x1ec0, 0x40), 1), success)
mstore(0x1f20, mload(0x1e40))
mstore(0x1f40, mload(0x1e60))
mstore(0x1f60, mload(0x1ec0))
mstore(0x1f80, mload(0x1ee0))
success := and(eq(staticcall(gas(), 0x6, 0x1f20, 0x80, 0x1f20, 0x40), 1), success)
mstore(0x1fa0, mload(0x340))
mstore(0x1fc0, mload(0x360))
mstore(0x1fe0, mload(0x19c0))
success := and(eq(staticcall(gas(), 0x7, 0x1fa0, 0x60, 0x1fa0, 0x40), 1), success)
mstore(0x2000, mload(0x1f20))
mstore8(0x20, 0)
mstore(0x2020, mload(0x1f40))
mstore(0x2040, mload(0x1fa0))
mstore(0x2060, mload(0x1fc0))
success := and(eq(staticcall(gas(), 0x6, 0x2000, 0x80, 0x2000, 0x40), 1), success)
mstore(0x2080, mload(0x260))
mstore(0x20a0, mload(0x280))
mstore(0x20c0, mload(0x19e0))
success := and(eq(staticcall(gas(), 0x7, 0x2080, 0x60, 0x2080, 0x40), 1), success)
mstore(0x20e0, mload(0x2000))
mstore(0x2100, mload(0x2020))
mstore(0x2120, mload(0x2080))
mstore(0x2140, mload(0x20a0))
mstore8(0x20, 0)
success := and(eq(staticcall(gas(), 0x6, 0x20e0, 0x80, 0x20e0, 0x40), 1), success)
mstore(0x2160, mload(0x5a0))
mstore(0x2180, mload(0x5c0))
mstore(0x21a0, sub(mload(0), mload(0x1a20)))
success := and(eq(staticcall(gas(), 0x7, 0x2160, 0x60, 0x2160, 0x40), 1), success)
mstore(0x21c0, mload(0x20e0))
mstore(0x21e0, mload(0x2100))
mstore(0x2200, mload(0x2160))
mstore(0x2220, mload(0x2180))
success := and(eq(staticcall(gas(), 0x6, 0x21c0, 0x80, 0x21c0, 0x40), 1), success)
mstore(0x2240, mload(0x640))
mstore(0x2260, mload(0x660))
mstore8(0x20, 0)
mstore(0x2280, mload(0x1a40))
success := and(eq(staticcall(gas(), 0x7, 0x2240, 0x60, 0x2240, 0x40), 1), success)
mstore(0x22a0, mload(0x21c0))
mstore(0x22c0, mload(0x21e0))
mstore(0x22e0, mload(0x2240))
mstore(0x2300, mload(0x2260))
success := and(eq(staticcall(gas(), 0x6, 0x22a0, 0x80, 0x22a0, 0x40), 1), success)
mstore(0x2320, mload(0x22a0))
mstore(0x2340, mload(0x22c0))
mstore(0x2360, 0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2)
mstore(0x2380, 0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed)
mstore(0x23a0, 0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b)
mstore8(0x20, 0)
mstore(0x23c0, 0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa)
mstore(0x23e0, mload(0x640))
mstore(0x2400, mload(0x660))
mstore(0x2420, 0x186282957db913abd99f91db59fe69922e95040603ef44c0bd7aa3adeef8f5ac)
mstore(0x2440, 0x17944351223333f260ddc3b4af45191b856689eda9eab5cbcddbbe570ce860d2)
mstore(0x2460, 0x06d971ff4a7467c3ec596ed6efc674572e32fd6f52b721f97e35b0b3d3546753)
mstore(0x2480, 0x06ecdb9f9567f59ed2eee36e1e1d58797fd13cc97fafc2910f5e8a12f202fa9a)
success := and(eq(staticcall(gas(), 0x8, 0x2320, 0x180, 0x2320, 0x20), 1), success)
success := and(eq(mload(0x2320), 1), success)

            if iszero(success) { revert(0, 0) }
            mstore(0, 1)
            return(0, 0x20)
        }
    }
}
