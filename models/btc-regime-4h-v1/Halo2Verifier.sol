// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

/// @notice Verifies proofs of 704 bytes for 19 public inputs of one network. Reverts where one does not hold.
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
                    and(eq(calldatasize(), 0x5a4), eq(calldataload(0x04), 0x40)),
                    and(
                        eq(calldataload(0x24), 0x320),
                        and(eq(calldataload(0x44), 0x2c0), eq(calldataload(0x324), 0x13))
                    )
                )
            ) { revert(0, 0) }
            mstore(0, 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001)
            let success := true
mstore8(0x20, 0)
mstore(0x80, 13260925683266104302087267363526981862985153340751472177150284336610744035005)
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
mstore(0x800, mload(0x80))
let feature := 0x344
let output := 0x544
for { let to := 0x820 } lt(to, 0xa80) { to := add(to, 0x260) } {
calldatacopy(to, feature, 0x200)
calldatacopy(add(to, 0x200), output, 0x60)
feature := add(feature, 0x200)
output := add(output, 0x60)
}
calldatacopy(0xa80, 0x64, 0x80)
mstore(0x140, keccak256(0x800, 0x300))
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
mstore(0x780, addmod(mload(0x760), 21888242871839275222246405745257275088548364400416034343698204186575808495616, mload(0)))
mstore(0x7a0, mulmod(mload(0x780), 21802741923121153053409505722814863857733722351976909209543133076471996743681, mload(0)))
mstore(0x7c0, mulmod(mload(0x7a0), 1, mload(0)))
mstore8(0x20, 0)
{
let r := mload(0)
let z := add(mload(0x3a0), r)
let w := 1
let n := 0
let d := 1
for { let at := 0x820 } lt(at, 0xa80) { w := mulmod(w, 10647961203315823856537843973733395189275889821970040089165937913587919323182, r) } {
for { let next := add(at, 0x260) } lt(at, next) { at := add(at, 0x20) } {
let x := mload(at)
success := and(success, lt(x, r))
let f := sub(z, w)
n := add(mulmod(n, f, r), mulmod(mulmod(x, w, r), d, r))
d := mulmod(d, f, r)
w := mulmod(w, 7393649265675507591155086225434297871937368251641985215568891852805958167681, r)
}
}
mstore(0xa0, n)
mstore(0x7e0, d)
}
{
let prod := mload(0x7e0)
prod := mulmod(mload(0x780), prod, mload(0))
mstore(0x800, prod)
}
mstore(0x840, 32)
mstore(0x860, 32)
mstore(0x880, 32)
mstore(0x8a0, mload(0x800))
mstore(0x8c0, 21888242871839275222246405745257275088548364400416034343698204186575808495615)
mstore(0x8e0, 21888242871839275222246405745257275088548364400416034343698204186575808495617)
mstore8(0x20, 0)
success := and(eq(staticcall(gas(), 0x5, 0x840, 0xc0, 0x820, 0x20), 1), success)
{
let inv := mload(0x820)
let v
v := mload(0x780)
mstore(1920, mulmod(mload(0x7e0), inv, mload(0)))
inv := mulmod(v, inv, mload(0))
mstore(0x7e0, inv)
}
mstore(0x900, mulmod(mload(0x7c0), mload(0x7e0), mload(0)))
{
let result := mulmod(mload(0x900), mload(0xa0), mload(0))
mstore8(0x20, 0)
mstore(2336, result)
}
mstore(0x940, addmod(3, sub(mload(0), mload(0x4a0)), mload(0)))
mstore(0x960, mulmod(mload(0x940), mload(0x4a0), mload(0)))
mstore(0x980, addmod(mload(0x440), sub(mload(0), mload(0x420)), mload(0)))
mstore(0x9a0, mulmod(mload(0x980), mload(0x960), mload(0)))
mstore(0x9c0, addmod(mload(0x3e0), 1, mload(0)))
mstore(0x9e0, mulmod(mload(0x9c0), mload(0x460), mload(0)))
mstore(0xa00, mulmod(mload(0x9e0), 2, mload(0)))
mstore(0xa20, addmod(mload(0x9a0), sub(mload(0), mload(0xa00)), mload(0)))
mstore(0xa40, mulmod(mload(0x2c0), mload(0xa20), mload(0)))
mstore(0xa60, addmod(mload(0x400), sub(mload(0), mload(0x3e0)), mload(0)))
mstore8(0x20, 0)
mstore(0xa80, mulmod(mload(0xa60), mload(0x960), mload(0)))
mstore(0xaa0, mulmod(mload(0x420), mload(0x420), mload(0)))
mstore(0xac0, addmod(mload(0xaa0), 1, mload(0)))
mstore(0xae0, mulmod(mload(0xac0), mload(0x480), mload(0)))
mstore(0xb00, mulmod(mload(0xae0), 2, mload(0)))
mstore(0xb20, addmod(mload(0xa80), sub(mload(0), mload(0xb00)), mload(0)))
mstore(0xb40, addmod(mload(0xa40), mload(0xb20), mload(0)))
mstore(0xb60, mulmod(mload(0x2c0), mload(0xb40), mload(0)))
mstore(0xb80, addmod(mload(0x4a0), 21888242871839275222246405745257275088548364400416034343698204186575808495616, mload(0)))
mstore(0xba0, mulmod(mload(0xb80), mload(0x4a0), mload(0)))
mstore(0xbc0, mulmod(mload(0x3e0), mload(0xba0), mload(0)))
mstore(0xbe0, mulmod(mload(0x920), 2, mload(0)))
mstore8(0x20, 0)
mstore(0xc00, addmod(mload(0xbc0), sub(mload(0), mload(0xbe0)), mload(0)))
mstore(0xc20, addmod(mload(0xb60), mload(0xc00), mload(0)))
mstore(0xc40, mulmod(mload(0x2c0), mload(0xc20), mload(0)))
mstore(0xc60, mulmod(mload(0x420), mload(0xba0), mload(0)))
mstore(0xc80, addmod(mload(0xc40), mload(0xc60), mload(0)))
mstore(0xca0, mulmod(mload(0x760), mload(0x760), mload(0)))
mstore(0xcc0, mulmod(1, mload(0x760), mload(0)))
mstore(0xce0, mulmod(mload(0xc80), mload(0x780), mload(0)))
mstore(0xd00, mulmod(mload(0x3a0), 1, mload(0)))
mstore(0xd20, addmod(mload(0x600), sub(mload(0), mload(0xd00)), mload(0)))
mstore(0xd40, mulmod(mload(0x3a0), 7393649265675507591155086225434297871937368251641985215568891852805958167681, mload(0)))
mstore(0xd60, addmod(mload(0x600), sub(mload(0), mload(0xd40)), mload(0)))
mstore8(0x20, 0)
mstore(0xd80, mulmod(mload(0x3a0), 20621199319826375815442384002481769066142130047753276397590822761330375585572, mload(0)))
mstore(0xda0, addmod(mload(0x600), sub(mload(0), mload(0xd80)), mload(0)))
mstore(0xdc0, mulmod(1267043552012899406804021742775506022406234352662757946107381425245432910046, mload(0x3a0), mload(0)))
mstore(0xde0, mulmod(mload(0xdc0), 1, mload(0)))
{
let result := mulmod(mload(0x600), mload(0xdc0), mload(0))
result := addmod(mulmod(mload(0x3a0), sub(mload(0), mload(0xde0)), mload(0)), result, mload(0))
mstore(3584, result)
}
mstore(0xe20, mulmod(20621199319826375815442384002481769066142130047753276397590822761330375585571, mload(0x3a0), mload(0)))
mstore(0xe40, mulmod(mload(0xe20), 20621199319826375815442384002481769066142130047753276397590822761330375585572, mload(0)))
{
mstore8(0x20, 0)
let result := mulmod(mload(0x600), mload(0xe20), mload(0))
result := addmod(mulmod(mload(0x3a0), sub(mload(0), mload(0xe40)), mload(0)), result, mload(0))
mstore(3680, result)
}
mstore(0xe80, mulmod(1, mload(0xd20), mload(0)))
mstore(0xea0, mulmod(mload(0xe80), mload(0xda0), mload(0)))
mstore(0xec0, mulmod(14494593606163767631091319519822977216610996148774049128129312333769850327937, mload(0x3a0), mload(0)))
mstore(0xee0, mulmod(mload(0xec0), 1, mload(0)))
{
let result := mulmod(mload(0x600), mload(0xec0), mload(0))
result := addmod(mulmod(mload(0x3a0), sub(mload(0), mload(0xee0)), mload(0)), result, mload(0))
mstore(3840, result)
mstore8(0x20, 0)
}
mstore(0xf20, mulmod(7393649265675507591155086225434297871937368251641985215568891852805958167680, mload(0x3a0), mload(0)))
mstore(0xf40, mulmod(mload(0xf20), 7393649265675507591155086225434297871937368251641985215568891852805958167681, mload(0)))
{
let result := mulmod(mload(0x600), mload(0xf20), mload(0))
result := addmod(mulmod(mload(0x3a0), sub(mload(0), mload(0xf40)), mload(0)), result, mload(0))
mstore(3936, result)
}
mstore(0xf80, mulmod(mload(0xe80), mload(0xd60), mload(0)))
{
let result := mulmod(mload(0x600), 1, mload(0))
result := addmod(mulmod(mload(0x3a0), 21888242871839275222246405745257275088548364400416034343698204186575808495616, mload(0)), result, mload(0))
mstore8(0x20, 0)
mstore(4000, result)
}
{
let prod := mload(0xe00)
prod := mulmod(mload(0xe60), prod, mload(0))
mstore(0xfc0, prod)
prod := mulmod(mload(0xf00), prod, mload(0))
mstore(0xfe0, prod)
prod := mulmod(mload(0xf60), prod, mload(0))
mstore(0x1000, prod)
prod := mulmod(mload(0xf80), prod, mload(0))
mstore(0x1020, prod)
mstore8(0x20, 0)
prod := mulmod(mload(0xfa0), prod, mload(0))
mstore(0x1040, prod)
prod := mulmod(mload(0xe80), prod, mload(0))
mstore(0x1060, prod)
}
mstore(0x10a0, 32)
mstore(0x10c0, 32)
mstore(0x10e0, 32)
mstore(0x1100, mload(0x1060))
mstore(0x1120, 21888242871839275222246405745257275088548364400416034343698204186575808495615)
mstore(0x1140, 21888242871839275222246405745257275088548364400416034343698204186575808495617)
success := and(eq(staticcall(gas(), 0x5, 0x10a0, 0xc0, 0x1080, 0x20), 1), success)
mstore8(0x20, 0)
{
let inv := mload(0x1080)
let v
v := mload(0xe80)
mstore(3712, mulmod(mload(0x1040), inv, mload(0)))
inv := mulmod(v, inv, mload(0))
v := mload(0xfa0)
mstore(4000, mulmod(mload(0x1020), inv, mload(0)))
inv := mulmod(v, inv, mload(0))
v := mload(0xf80)
mstore(3968, mulmod(mload(0x1000), inv, mload(0)))
inv := mulmod(v, inv, mload(0))
mstore8(0x20, 0)
v := mload(0xf60)
mstore(3936, mulmod(mload(0xfe0), inv, mload(0)))
inv := mulmod(v, inv, mload(0))
v := mload(0xf00)
mstore(3840, mulmod(mload(0xfc0), inv, mload(0)))
inv := mulmod(v, inv, mload(0))
v := mload(0xe60)
mstore(3680, mulmod(mload(0xe00), inv, mload(0)))
inv := mulmod(v, inv, mload(0))
mstore(0xe00, inv)
}
{
mstore8(0x20, 0)
let result := mload(0xe00)
result := addmod(mload(0xe60), result, mload(0))
mstore(4448, result)
}
mstore(0x1180, mulmod(mload(0xea0), mload(0xf80), mload(0)))
{
let result := mload(0xf00)
result := addmod(mload(0xf60), result, mload(0))
mstore(4512, result)
}
mstore(0x11c0, mulmod(mload(0xea0), mload(0xe80), mload(0)))
{
mstore8(0x20, 0)
let result := mload(0xfa0)
mstore(4576, result)
}
{
let prod := mload(0x1160)
prod := mulmod(mload(0x11a0), prod, mload(0))
mstore(0x1200, prod)
prod := mulmod(mload(0x11e0), prod, mload(0))
mstore(0x1220, prod)
}
mstore(0x1260, 32)
mstore(0x1280, 32)
mstore8(0x20, 0)
mstore(0x12a0, 32)
mstore(0x12c0, mload(0x1220))
mstore(0x12e0, 21888242871839275222246405745257275088548364400416034343698204186575808495615)
mstore(0x1300, 21888242871839275222246405745257275088548364400416034343698204186575808495617)
success := and(eq(staticcall(gas(), 0x5, 0x1260, 0xc0, 0x1240, 0x20), 1), success)
{
let inv := mload(0x1240)
let v
v := mload(0x11e0)
mstore(4576, mulmod(mload(0x1200), inv, mload(0)))
inv := mulmod(v, inv, mload(0))
v := mload(0x11a0)
mstore8(0x20, 0)
mstore(4512, mulmod(mload(0x1160), inv, mload(0)))
inv := mulmod(v, inv, mload(0))
mstore(0x1160, inv)
}
mstore(0x1320, mulmod(mload(0x1180), mload(0x11a0), mload(0)))
mstore(0x1340, mulmod(mload(0x11c0), mload(0x11e0), mload(0)))
mstore(0x1360, mulmod(mload(0x500), mload(0x500), mload(0)))
mstore(0x1380, mulmod(mload(0x1360), mload(0x500), mload(0)))
mstore(0x13a0, mulmod(mload(0x1380), mload(0x500), mload(0)))
mstore(0x13c0, mulmod(mload(0x13a0), mload(0x500), mload(0)))
mstore(0x13e0, mulmod(mload(0x560), mload(0x560), mload(0)))
mstore(0x1400, mulmod(mload(0x13e0), mload(0x560), mload(0)))
mstore8(0x20, 0)
{
let result := mulmod(mload(0x3e0), mload(0xe00), mload(0))
result := addmod(mulmod(mload(0x400), mload(0xe60), mload(0)), result, mload(0))
mstore(5152, result)
}
mstore(0x1440, mulmod(mload(0x1420), mload(0x1160), mload(0)))
mstore(0x1460, mulmod(sub(mload(0), mload(0x1440)), 1, mload(0)))
mstore(0x1480, mulmod(mload(0x1460), 1, mload(0)))
mstore(0x14a0, mulmod(1, mload(0x1180), mload(0)))
{
let result := mulmod(mload(0x420), mload(0xf00), mload(0))
result := addmod(mulmod(mload(0x440), mload(0xf60), mload(0)), result, mload(0))
mstore8(0x20, 0)
mstore(5312, result)
}
mstore(0x14e0, mulmod(mload(0x14c0), mload(0x1320), mload(0)))
mstore(0x1500, mulmod(sub(mload(0), mload(0x14e0)), 1, mload(0)))
mstore(0x1520, mulmod(mload(0x14a0), 1, mload(0)))
mstore(0x1540, mulmod(mload(0x1500), mload(0x560), mload(0)))
mstore(0x1560, mulmod(mload(0x1520), mload(0x560), mload(0)))
mstore(0x1580, addmod(mload(0x1480), mload(0x1540), mload(0)))
mstore(0x15a0, mulmod(1, mload(0x11c0), mload(0)))
{
let result := mulmod(mload(0x460), mload(0xfa0), mload(0))
mstore(5568, result)
mstore8(0x20, 0)
}
mstore(0x15e0, mulmod(mload(0x15c0), mload(0x1340), mload(0)))
mstore(0x1600, mulmod(sub(mload(0), mload(0x15e0)), 1, mload(0)))
mstore(0x1620, mulmod(mload(0x15a0), 1, mload(0)))
{
let result := mulmod(mload(0x480), mload(0xfa0), mload(0))
mstore(5696, result)
}
mstore(0x1660, mulmod(mload(0x1640), mload(0x1340), mload(0)))
mstore(0x1680, mulmod(sub(mload(0), mload(0x1660)), mload(0x500), mload(0)))
mstore(0x16a0, mulmod(mload(0x15a0), mload(0x500), mload(0)))
mstore(0x16c0, addmod(mload(0x1600), mload(0x1680), mload(0)))
mstore8(0x20, 0)
{
let result := mulmod(mload(0x4a0), mload(0xfa0), mload(0))
mstore(5856, result)
}
mstore(0x1700, mulmod(mload(0x16e0), mload(0x1340), mload(0)))
mstore(0x1720, mulmod(sub(mload(0), mload(0x1700)), mload(0x1360), mload(0)))
mstore(0x1740, mulmod(mload(0x15a0), mload(0x1360), mload(0)))
mstore(0x1760, addmod(mload(0x16c0), mload(0x1720), mload(0)))
mstore(0x1780, mulmod(mload(0xcc0), mload(0x11c0), mload(0)))
{
let result := mulmod(mload(0xce0), mload(0xfa0), mload(0))
mstore(6048, result)
mstore8(0x20, 0)
}
mstore(0x17c0, mulmod(mload(0x17a0), mload(0x1340), mload(0)))
mstore(0x17e0, mulmod(sub(mload(0), mload(0x17c0)), mload(0x1380), mload(0)))
mstore(0x1800, mulmod(mload(0x15a0), mload(0x1380), mload(0)))
mstore(0x1820, mulmod(mload(0x1780), mload(0x1380), mload(0)))
mstore(0x1840, addmod(mload(0x1760), mload(0x17e0), mload(0)))
{
let result := mulmod(mload(0x4c0), mload(0xfa0), mload(0))
mstore(6240, result)
}
mstore(0x1880, mulmod(mload(0x1860), mload(0x1340), mload(0)))
mstore(0x18a0, mulmod(sub(mload(0), mload(0x1880)), mload(0x13a0), mload(0)))
mstore8(0x20, 0)
mstore(0x18c0, mulmod(mload(0x15a0), mload(0x13a0), mload(0)))
mstore(0x18e0, addmod(mload(0x1840), mload(0x18a0), mload(0)))
mstore(0x1900, mulmod(mload(0x18e0), mload(0x13e0), mload(0)))
mstore(0x1920, mulmod(mload(0x1620), mload(0x13e0), mload(0)))
mstore(0x1940, mulmod(mload(0x16a0), mload(0x13e0), mload(0)))
mstore(0x1960, mulmod(mload(0x1740), mload(0x13e0), mload(0)))
mstore(0x1980, mulmod(mload(0x1800), mload(0x13e0), mload(0)))
mstore(0x19a0, mulmod(mload(0x1820), mload(0x13e0), mload(0)))
mstore(0x19c0, mulmod(mload(0x18c0), mload(0x13e0), mload(0)))
mstore(0x19e0, addmod(mload(0x1580), mload(0x1900), mload(0)))
mstore(0x1a00, mulmod(1, mload(0xea0), mload(0)))
mstore(0x1a20, mulmod(1, mload(0x600), mload(0)))
mstore8(0x20, 0)
mstore(0x1a40, 0x0000000000000000000000000000000000000000000000000000000000000001)
mstore(0x1a60, 0x0000000000000000000000000000000000000000000000000000000000000002)
mstore(0x1a80, mload(0x19e0))
success := and(eq(staticcall(gas(), 0x7, 0x1a40, 0x60, 0x1a40, 0x40), 1), success)
mstore(0x1aa0, mload(0x1a40))
mstore(0x1ac0, mload(0x1a60))
mstore(0x1ae0, mload(0xc0))
mstore(0x1b00, mload(0xe0))
success := and(eq(staticcall(gas(), 0x6, 0x1aa0, 0x80, 0x1aa0, 0x40), 1), success)
mstore(0x1b20, mload(0x100))
mstore(0x1b40, mload(0x120))
mstore(0x1b60, mload(0x1560))
mstore8(0x20, 0)
success := and(eq(staticcall(gas(), 0x7, 0x1b20, 0x60, 0x1b20, 0x40), 1), success)
mstore(0x1b80, mload(0x1aa0))
mstore(0x1ba0, mload(0x1ac0))
mstore(0x1bc0, mload(0x1b20))
mstore(0x1be0, mload(0x1b40))
success := and(eq(staticcall(gas(), 0x6, 0x1b80, 0x80, 0x1b80, 0x40), 1), success)
mstore(0x1c00, 0x20174acb11e63fc5b8f86ceea094c3c1407da679bbfd796e58e367b49bac455f)
mstore(0x1c20, 0x095afa54a7752d98119b38bb0039597d16e9ba7691bb5fd00fb397f083dde0c1)
mstore(0x1c40, mload(0x1920))
success := and(eq(staticcall(gas(), 0x7, 0x1c00, 0x60, 0x1c00, 0x40), 1), success)
mstore(0x1c60, mload(0x1b80))
mstore(0x1c80, mload(0x1ba0))
mstore8(0x20, 0)
mstore(0x1ca0, mload(0x1c00))
mstore(0x1cc0, mload(0x1c20))
success := and(eq(staticcall(gas(), 0x6, 0x1c60, 0x80, 0x1c60, 0x40), 1), success)
mstore(0x1ce0, 0x01099f77a27135279eda37110fe1c2c5821c01dc679c0cc1ae6da5c234852888)
mstore(0x1d00, 0x0be07ce7103a9a27c1d0a50490ef8224d9f4e8d823dd743508c02ca8bb36c695)
mstore(0x1d20, mload(0x1940))
success := and(eq(staticcall(gas(), 0x7, 0x1ce0, 0x60, 0x1ce0, 0x40), 1), success)
mstore(0x1d40, mload(0x1c60))
mstore(0x1d60, mload(0x1c80))
mstore(0x1d80, mload(0x1ce0))
mstore(0x1da0, mload(0x1d00))
success := and(eq(staticcall(gas(), 0x6, 0x1d40, 0x80, 0x1d40, 0x40), 1), success)
mstore8(0x20, 0)
mstore(0x1dc0, 0x1f2ffb23c7850a6dad1cf71ca9d166a9352b9402e342951e1eda9db261e5c327)
mstore(0x1de0, 0x2fa67689c9b6ea12ec467b0ac0ec2ca4e3b303b5434267ac2c4f047017103008)
mstore(0x1e00, mload(0x1960))
success := and(eq(staticcall(gas(), 0x7, 0x1dc0, 0x60, 0x1dc0, 0x40), 1), success)
mstore(0x1e20, mload(0x1d40))
mstore(0x1e40, mload(0x1d60))
mstore(0x1e60, mload(0x1dc0))
mstore(0x1e80, mload(0x1de0))
success := and(eq(staticcall(gas(), 0x6, 0x1e20, 0x80, 0x1e20, 0x40), 1), success)
mstore(0x1ea0, mload(0x300))
mstore(0x1ec0, mload(0x320))
mstore(0x1ee0, mload(0x1980))
mstore8(0x20, 0)
success := and(eq(staticcall(gas(), 0x7, 0x1ea0, 0x60, 0x1ea0, 0x40), 1), success)
mstore(0x1f00, mload(0x1e20))
mstore(0x1f20, mload(0x1e40))
mstore(0x1f40, mload(0x1ea0))
mstore(0x1f60, mload(0x1ec0))
success := and(eq(staticcall(gas(), 0x6, 0x1f00, 0x80, 0x1f00, 0x40), 1), success)
mstore(0x1f80, mload(0x340))
mstore(0x1fa0, mload(0x360))
mstore(0x1fc0, mload(0x19a0))
success := and(eq(staticcall(gas(), 0x7, 0x1f80, 0x60, 0x1f80, 0x40), 1), success)
mstore(0x1fe0, mload(0x1f00))
mstore(0x2000, mload(0x1f20))
mstore8(0x20, 0)
mstore(0x2020, mload(0x1f80))
mstore(0x2040, mload(0x1fa0))
success := and(eq(staticcall(gas(), 0x6, 0x1fe0, 0x80, 0x1fe0, 0x40), 1), success)
mstore(0x2060, mload(0x260))
mstore(0x2080, mload(0x280))
mstore(0x20a0, mload(0x19c0))
success := and(eq(staticcall(gas(), 0x7, 0x2060, 0x60, 0x2060, 0x40), 1), success)
mstore(0x20c0, mload(0x1fe0))
mstore(0x20e0, mload(0x2000))
mstore(0x2100, mload(0x2060))
mstore(0x2120, mload(0x2080))
success := and(eq(staticcall(gas(), 0x6, 0x20c0, 0x80, 0x20c0, 0x40), 1), success)
mstore8(0x20, 0)
mstore(0x2140, mload(0x5a0))
mstore(0x2160, mload(0x5c0))
mstore(0x2180, sub(mload(0), mload(0x1a00)))
success := and(eq(staticcall(gas(), 0x7, 0x2140, 0x60, 0x2140, 0x40), 1), success)
mstore(0x21a0, mload(0x20c0))
mstore(0x21c0, mload(0x20e0))
mstore(0x21e0, mload(0x2140))
mstore(0x2200, mload(0x2160))
success := and(eq(staticcall(gas(), 0x6, 0x21a0, 0x80, 0x21a0, 0x40), 1), success)
mstore(0x2220, mload(0x640))
mstore(0x2240, mload(0x660))
mstore(0x2260, mload(0x1a20))
mstore8(0x20, 0)
success := and(eq(staticcall(gas(), 0x7, 0x2220, 0x60, 0x2220, 0x40), 1), success)
mstore(0x2280, mload(0x21a0))
mstore(0x22a0, mload(0x21c0))
mstore(0x22c0, mload(0x2220))
mstore(0x22e0, mload(0x2240))
success := and(eq(staticcall(gas(), 0x6, 0x2280, 0x80, 0x2280, 0x40), 1), success)
mstore(0x2300, mload(0x2280))
mstore(0x2320, mload(0x22a0))
mstore(0x2340, 0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2)
mstore(0x2360, 0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed)
mstore(0x2380, 0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b)
mstore(0x23a0, 0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa)
mstore8(0x20, 0)
mstore(0x23c0, mload(0x640))
mstore(0x23e0, mload(0x660))
mstore(0x2400, 0x186282957db913abd99f91db59fe69922e95040603ef44c0bd7aa3adeef8f5ac)
mstore(0x2420, 0x17944351223333f260ddc3b4af45191b856689eda9eab5cbcddbbe570ce860d2)
mstore(0x2440, 0x06d971ff4a7467c3ec596ed6efc674572e32fd6f52b721f97e35b0b3d3546753)
mstore(0x2460, 0x06ecdb9f9567f59ed2eee36e1e1d58797fd13cc97fafc2910f5e8a12f202fa9a)
success := and(eq(staticcall(gas(), 0x8, 0x2300, 0x180, 0x2300, 0x20), 1), success)
success := and(eq(mload(0x2300), 1), success)

            if iszero(success) { revert(0, 0) }
            mstore(0, 1)
            return(0, 0x20)
        }
    }
}
