// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title DirectVerifier
/// @notice Computes the model yields-v1-lp and compares what is claimed of it: 18 features and 3 outputs of each of 1 market(s).
/// There is no proof: the chain itself runs the model.
/// @dev Generated.
/// Layer 1: 3 sums of 18 inputs, of magnitude 3542827008 at most.
contract DirectVerifier {
    /// Order of the field that public inputs are elements of; negative numbers are counted down from it.
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// Largest magnitude of a feature, and how many values it can have.
    uint256 private constant BOUND = 24576;
    uint256 private constant WIDTH = 49153;

    /// @param proof Empty.
    /// @param instances All markets' features, then all markets' outputs; canonical elements of the field.
    /// @return accepted Whether each output is what the model gives for its features.
    function verifyProof(bytes calldata proof, uint256[] calldata instances) external pure returns (bool accepted) {
        if (proof.length != 0 || instances.length != 21) return false;
        assembly {
            let fits := 1
            let at := instances.offset
            let outputs := add(at, 576)
            let x
            {
                let s0_0 := 0x568c000011bc80000cb28000
                {
                    let x0 := calldataload(at)
                    let y0 := addmod(x0, BOUND, R)
                    let x1 := calldataload(add(at, 32))
                    let y1 := addmod(x1, BOUND, R)
                    fits := and(lt(y1, WIDTH), and(lt(x1, R), and(lt(y0, WIDTH), and(lt(x0, R), fits))))
                    s0_0 := add(mul(y1, 0xffffffffffffffffffffffffffffffffffffffffffffffffffffffc200000228), add(mul(y0, 0x13600000193), s0_0))
                }
                {
                    let x2 := calldataload(add(at, 64))
                    let y2 := addmod(x2, BOUND, R)
                    let x3 := calldataload(add(at, 96))
                    let y3 := addmod(x3, BOUND, R)
                    fits := and(lt(y3, WIDTH), and(lt(x3, R), and(lt(y2, WIDTH), and(lt(x2, R), fits))))
                    s0_0 := add(mul(y3, 0x6a80000451), add(mul(y2, 0x4c00000284), s0_0))
                }
                {
                    let x4 := calldataload(add(at, 128))
                    let y4 := addmod(x4, BOUND, R)
                    let x5 := calldataload(add(at, 160))
                    let y5 := addmod(x5, BOUND, R)
                    fits := and(lt(y5, WIDTH), and(lt(x5, R), and(lt(y4, WIDTH), and(lt(x4, R), fits))))
                    s0_0 := add(mul(y5, 0xc000000aed), add(mul(y4, 0x6d0000067c), s0_0))
                }
                {
                    let x6 := calldataload(add(at, 192))
                    let y6 := addmod(x6, BOUND, R)
                    let x7 := calldataload(add(at, 224))
                    let y7 := addmod(x7, BOUND, R)
                    fits := and(lt(y7, WIDTH), and(lt(x7, R), and(lt(y6, WIDTH), and(lt(x6, R), fits))))
                    s0_0 := add(mul(y7, 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffd1d7ffff54f), add(mul(y6, 0x3f400001aec), s0_0))
                }
                {
                    let x8 := calldataload(add(at, 256))
                    let y8 := addmod(x8, BOUND, R)
                    let x9 := calldataload(add(at, 288))
                    let y9 := addmod(x9, BOUND, R)
                    fits := and(lt(y9, WIDTH), and(lt(x9, R), and(lt(y8, WIDTH), and(lt(x8, R), fits))))
                    s0_0 := add(mul(y9, 0x6568000170f), add(mul(y8, 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffde000000c37), s0_0))
                }
                {
                    let x10 := calldataload(add(at, 320))
                    let y10 := addmod(x10, BOUND, R)
                    let x11 := calldataload(add(at, 352))
                    let y11 := addmod(x11, BOUND, R)
                    fits := and(lt(y11, WIDTH), and(lt(x11, R), and(lt(y10, WIDTH), and(lt(x10, R), fits))))
                    s0_0 := add(mul(y11, 0x74bc00000744), add(mul(y10, 0x21e00000869), s0_0))
                }
                {
                    let x12 := calldataload(add(at, 384))
                    let y12 := addmod(x12, BOUND, R)
                    let x13 := calldataload(add(at, 416))
                    let y13 := addmod(x13, BOUND, R)
                    fits := and(lt(y13, WIDTH), and(lt(x13, R), and(lt(y12, WIDTH), and(lt(x12, R), fits))))
                    s0_0 := add(mul(y13, 0x1786000005bf), add(mul(y12, 0x1238000000b3), s0_0))
                }
                {
                    let x14 := calldataload(add(at, 448))
                    let y14 := addmod(x14, BOUND, R)
                    let x15 := calldataload(add(at, 480))
                    let y15 := addmod(x15, BOUND, R)
                    fits := and(lt(y15, WIDTH), and(lt(x15, R), and(lt(y14, WIDTH), and(lt(x14, R), fits))))
                    s0_0 := add(mul(y15, 0xfffffffffffffffffffffffffffffffffffffffffffffffffffff2da000004ed), add(mul(y14, 0x10a1000000d8), s0_0))
                }
                {
                    let x16 := calldataload(add(at, 512))
                    let y16 := addmod(x16, BOUND, R)
                    let x17 := calldataload(add(at, 544))
                    let y17 := addmod(x17, BOUND, R)
                    fits := and(lt(y17, WIDTH), and(lt(x17, R), and(lt(y16, WIDTH), and(lt(x16, R), fits))))
                    s0_0 := add(mul(y17, 0x4c000000fe), add(mul(y16, 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffac07ffff9c3), s0_0))
                }
                x := calldataload(outputs)
                fits := and(fits, and(lt(x, R), eq(and(s0_0, 0x7fffffff), addmod(x, 868032512, R))))
                x := calldataload(add(outputs, 32))
                fits := and(fits, and(lt(x, R), eq(and(shr(31, s0_0), 0x1ffffffff), addmod(x, 3542827008, R))))
                x := calldataload(add(outputs, 64))
                fits := and(fits, and(lt(x, R), eq(shr(64, s0_0), addmod(x, 726007808, R))))
            }
            accepted := fits
        }
    }
}
