// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title DirectVerifier
/// @notice Computes the model yields-v1-delta and compares what is claimed of it: 16 features and 3 outputs of each of 1 market(s).
/// There is no proof: the chain itself runs the model.
/// @dev Generated.
/// Layer 1: 3 sums of 16 inputs, of magnitude 3235962880 at most.
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
        if (proof.length != 0 || instances.length != 19) return false;
        assembly {
            let fits := 1
            let at := instances.offset
            let outputs := add(at, 512)
            let x
            {
                let s0_0 := 0xdb3f00005c60400043dc0000
                {
                    let x0 := calldataload(at)
                    let y0 := addmod(x0, BOUND, R)
                    let x1 := calldataload(add(at, 32))
                    let y1 := addmod(x1, BOUND, R)
                    fits := and(lt(y1, WIDTH), and(lt(x1, R), and(lt(y0, WIDTH), and(lt(x0, R), fits))))
                    s0_0 := add(mul(y1, 0xebb00000ae6), add(mul(y0, 0xf3a0000170c), s0_0))
                }
                {
                    let x2 := calldataload(add(at, 64))
                    let y2 := addmod(x2, BOUND, R)
                    let x3 := calldataload(add(at, 96))
                    let y3 := addmod(x3, BOUND, R)
                    fits := and(lt(y3, WIDTH), and(lt(x3, R), and(lt(y2, WIDTH), and(lt(x2, R), fits))))
                    s0_0 := add(mul(y3, 0x99dfffffdb7), add(mul(y2, 0x651000005e4), s0_0))
                }
                {
                    let x4 := calldataload(add(at, 128))
                    let y4 := addmod(x4, BOUND, R)
                    let x5 := calldataload(add(at, 160))
                    let y5 := addmod(x5, BOUND, R)
                    fits := and(lt(y5, WIDTH), and(lt(x5, R), and(lt(y4, WIDTH), and(lt(x4, R), fits))))
                    s0_0 := add(mul(y5, 0x8ab000001a4), add(mul(y4, 0x6b00000006e), s0_0))
                }
                {
                    let x6 := calldataload(add(at, 192))
                    let y6 := addmod(x6, BOUND, R)
                    let x7 := calldataload(add(at, 224))
                    let y7 := addmod(x7, BOUND, R)
                    fits := and(lt(y7, WIDTH), and(lt(x7, R), and(lt(y6, WIDTH), and(lt(x6, R), fits))))
                    s0_0 := add(mul(y7, 0xffffffffffffffffffffffffffffffffffffffffffffffffffffe359ffffbac9), add(mul(y6, 0xfffffffffffffffffffffffffffffffffffffffffffffffffffff2e100001857), s0_0))
                }
                {
                    let x8 := calldataload(add(at, 256))
                    let y8 := addmod(x8, BOUND, R)
                    let x9 := calldataload(add(at, 288))
                    let y9 := addmod(x9, BOUND, R)
                    fits := and(lt(y9, WIDTH), and(lt(x9, R), and(lt(y8, WIDTH), and(lt(x8, R), fits))))
                    s0_0 := add(mul(y9, 0xa31dfffffd1d), add(mul(y8, 0xffffffffffffffffffffffffffffffffffffffffffffffffffffe16b00003151), s0_0))
                }
                {
                    let x10 := calldataload(add(at, 320))
                    let y10 := addmod(x10, BOUND, R)
                    let x11 := calldataload(add(at, 352))
                    let y11 := addmod(x11, BOUND, R)
                    fits := and(lt(y11, WIDTH), and(lt(x11, R), and(lt(y10, WIDTH), and(lt(x10, R), fits))))
                    s0_0 := add(mul(y11, 0x1c9cfffff8e9), add(mul(y10, 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffca2fffffd79), s0_0))
                }
                {
                    let x12 := calldataload(add(at, 384))
                    let y12 := addmod(x12, BOUND, R)
                    let x13 := calldataload(add(at, 416))
                    let y13 := addmod(x13, BOUND, R)
                    fits := and(lt(y13, WIDTH), and(lt(x13, R), and(lt(y12, WIDTH), and(lt(x12, R), fits))))
                    s0_0 := add(mul(y13, 0x1b5efffff9cb), add(mul(y12, 0x200b000003a4), s0_0))
                }
                {
                    let x14 := calldataload(add(at, 448))
                    let y14 := addmod(x14, BOUND, R)
                    let x15 := calldataload(add(at, 480))
                    let y15 := addmod(x15, BOUND, R)
                    fits := and(lt(y15, WIDTH), and(lt(x15, R), and(lt(y14, WIDTH), and(lt(x14, R), fits))))
                    s0_0 := add(mul(y15, 0xfffffffffffffffffffffffffffffffffffffffffffffffffffff52c00000206), add(mul(y14, 0xffffffffffffffffffffffffffffffffffffffffffffffffffffdb6000002ffe), s0_0))
                }
                x := calldataload(outputs)
                fits := and(fits, and(lt(x, R), eq(and(s0_0, 0xffffffff), addmod(x, 1633878016, R))))
                x := calldataload(add(outputs, 32))
                fits := and(fits, and(lt(x, R), eq(and(shr(32, s0_0), 0x1ffffffff), addmod(x, 3235962880, R))))
                x := calldataload(add(outputs, 64))
                fits := and(fits, and(lt(x, R), eq(shr(65, s0_0), addmod(x, 919584768, R))))
            }
            accepted := fits
        }
    }
}
