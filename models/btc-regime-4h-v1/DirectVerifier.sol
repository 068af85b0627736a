// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title DirectVerifier
/// @notice Computes the model btc-regime-4h-v1 and compares what is claimed of it: 16 features and 3 outputs of each of 1 market(s).
/// There is no proof: the chain itself runs the model.
/// @dev Generated.
/// Layer 1: 10 sums of 16 inputs, of magnitude 4865236992 at most, squared.
/// Layer 2: 3 sums of 10 inputs, of magnitude 2287403864375059969736704 at most.
contract DirectVerifier {
    /// Order of the field that public inputs are elements of; negative numbers are counted down from it.
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// Largest magnitude of a feature, and how many values it can have.
    uint256 private constant BOUND = 32768;
    uint256 private constant WIDTH = 65537;

    /// @notice Answers `verifyProof(bytes,uint256[])`: whether each output is what the model gives for its features.
    /// @dev The proof is empty; public inputs are all markets' features, then all markets' outputs, canonical elements of the
    /// field. Only the one encoding of that is read. Where each of them stands is known then, and nothing is decoded.
    fallback() external {
        assembly {
            let asked := and(eq(calldatasize(), 740), eq(shr(224, calldataload(0)), 0x1e8e1e13))
            asked := and(asked, and(eq(calldataload(4), 64), eq(calldataload(36), 96)))
            asked := and(asked, and(iszero(calldataload(68)), eq(calldataload(100), 19)))
            if iszero(asked) { revert(0, 0) }
            let fits := 1
            let at := 132
            let outputs := 644
            let x
            let s1_0 := 0x9d78a698d0ce7c00000078ee965d7a027b0000001e5067975e809ec000000
            {
                let s0_0 := 0x6e130000415f80001ce1480013913c0003109200020d260000b3090000
                let s0_1 := 0x299e00000a80c00003d0f0000
                {
                    let x0 := calldataload(at)
                    let y0 := addmod(x0, BOUND, R)
                    let x1 := calldataload(add(at, 32))
                    let y1 := addmod(x1, BOUND, R)
                    fits := and(lt(y1, WIDTH), and(lt(x1, R), and(lt(y0, WIDTH), and(lt(x0, R), fits))))
                    s0_0 := add(mul(y1, 0x2a6100000535800001223fffff5a9000017447ffffa8a000000401), add(mul(y0, 0x1213000006d27fffffb85ffffdab800002e3b800004fd5fffff6a6), s0_0))
                    s0_1 := add(mul(y1, 0xffffffffffffffffffffffffffffffffffffffffffffd2ec000001d600000c4a), add(mul(y0, 0xffffffffffffffffffffffffffffffffffffffffffffe77c000014a600001ea6), s0_1))
                }
                {
                    let x2 := calldataload(add(at, 64))
                    let y2 := addmod(x2, BOUND, R)
                    let x3 := calldataload(add(at, 96))
                    let y3 := addmod(x3, BOUND, R)
                    fits := and(lt(y3, WIDTH), and(lt(x3, R), and(lt(y2, WIDTH), and(lt(x2, R), fits))))
                    s0_0 := add(mul(y3, 0x68efffff61b8000057adffffd7fe000006a97fffff18dfffffd5c), add(mul(y2, 0xe25fffff44880000f517ffffda8500002b5efffffd96200000b23), s0_0))
                    s0_1 := add(mul(y3, 0xffffffffffffffffffffffffffffffffffffffffffffbb0ffffff3460000158f), add(mul(y2, 0xffffffffffffffffffffffffffffffffffffffffffffc3360000151c00003005), s0_1))
                }
                {
                    let x4 := calldataload(add(at, 128))
                    let y4 := addmod(x4, BOUND, R)
                    let x5 := calldataload(add(at, 160))
                    let y5 := addmod(x5, BOUND, R)
                    fits := and(lt(y5, WIDTH), and(lt(x5, R), and(lt(y4, WIDTH), and(lt(x4, R), fits))))
                    s0_0 := add(mul(y5, 0xfffffffffff962fffff708000002197ffffef20000002b5000005485fffff925), add(mul(y4, 0xeda00000c3b000003fbfffffff8dfffff89d7ffff99d9ffffeb05), s0_0))
                    s0_1 := add(mul(y5, 0xffffffffffffffffffffffffffffffffffffffffffffd8c60000187600001a71), add(mul(y4, 0xffffffffffffffffffffffffffffffffffffffffffffdac1ffffca6e00000895), s0_1))
                }
                {
                    let x6 := calldataload(add(at, 192))
                    let y6 := addmod(x6, BOUND, R)
                    let x7 := calldataload(add(at, 224))
                    let y7 := addmod(x7, BOUND, R)
                    fits := and(lt(y7, WIDTH), and(lt(x7, R), and(lt(y6, WIDTH), and(lt(x6, R), fits))))
                    s0_0 := add(mul(y7, 0xffffffffffde56fffff287fffffbb5bffffe453000000e97ffff920e000016c9), add(mul(y6, 0x3d80000082d000007a92000000b4fffff6ddfffffea8e000000db), s0_0))
                    s0_1 := add(mul(y7, 0x2cadfffff775fffff08c), add(mul(y6, 0xffffffffffffffffffffffffffffffffffffffffffffd0b800001db6000003fc), s0_1))
                }
                {
                    let x8 := calldataload(add(at, 256))
                    let y8 := addmod(x8, BOUND, R)
                    let x9 := calldataload(add(at, 288))
                    let y9 := addmod(x9, BOUND, R)
                    fits := and(lt(y9, WIDTH), and(lt(x9, R), and(lt(y8, WIDTH), and(lt(x8, R), fits))))
                    s0_0 := add(mul(y9, 0x7b500000403fffffe931fffff40d00000e6cffffff09ffffff8fd), add(mul(y8, 0xfffffffffff60cfffffad7800004543ffffeac5ffffffe900000c95dffffecec), s0_0))
                    s0_1 := add(mul(y9, 0xffffffffffffffffffffffffffffffffffffffffffffed77fffffb20000012e3), add(mul(y8, 0xffffffffffffffffffffffffffffffffffffffffffffcf3400000cd800000b01), s0_1))
                }
                {
                    let x10 := calldataload(add(at, 320))
                    let y10 := addmod(x10, BOUND, R)
                    let x11 := calldataload(add(at, 352))
                    let y11 := addmod(x11, BOUND, R)
                    fits := and(lt(y11, WIDTH), and(lt(x11, R), and(lt(y10, WIDTH), and(lt(x10, R), fits))))
                    s0_0 := add(mul(y11, 0xfffffffffffd5bfffff9d5800000d0dfffffc41000000a38000015c1fffff2dd), add(mul(y10, 0xffffffffffe793fffff5ff7ffffc9e1ffffe0d200000dbd7ffffece9fffffa18), s0_0))
                    s0_1 := add(mul(y11, 0xffffffffffffffffffffffffffffffffffffffffffffdcbfffffe6120000108f), add(mul(y10, 0xffffffffffffffffffffffffffffffffffffffffffffc18a00001852000010db), s0_1))
                }
                {
                    let x12 := calldataload(add(at, 384))
                    let y12 := addmod(x12, BOUND, R)
                    let x13 := calldataload(add(at, 416))
                    let y13 := addmod(x13, BOUND, R)
                    fits := and(lt(y13, WIDTH), and(lt(x13, R), and(lt(y12, WIDTH), and(lt(x12, R), fits))))
                    s0_0 := add(mul(y13, 0xffffffffffe76500000098fffffe0ce0000070a00000cb47ffffe84200000b46), add(mul(y12, 0x323800000ce4000002cbbffffd23ffffffe048000045e7ffffc647), s0_0))
                    s0_1 := add(mul(y13, 0x97e5fffffd41ffffef02), add(mul(y12, 0xffffffffffffffffffffffffffffffffffffffffffff4e3bfffffe5a00004788), s0_1))
                }
                {
                    let x14 := calldataload(add(at, 448))
                    let y14 := addmod(x14, BOUND, R)
                    let x15 := calldataload(add(at, 480))
                    let y15 := addmod(x15, BOUND, R)
                    fits := and(lt(y15, WIDTH), and(lt(x15, R), and(lt(y14, WIDTH), and(lt(x14, R), fits))))
                    s0_0 := add(mul(y15, 0xa6d0000083cfffffba4ffffffde20000071dfffffd217ffffe24f), add(mul(y14, 0xfffffffffff7d10000074ffffff76fdfffffdeb00001073fffffd0effffff957), s0_0))
                    s0_1 := add(mul(y15, 0xab3ffffdd60000017d2), add(mul(y14, 0x70dffffe89bffffe363), s0_1))
                }
                x := sub(and(s0_0, 0x1ffffffff), 2183151616)
                x := mul(x, x)
                s1_0 := add(mul(x, 0x517effffffffffffffffff30c0000000000000000033d), s1_0)
                x := sub(and(shr(33, s0_0), 0x3ffffffff), 4321419264)
                x := mul(x, x)
                s1_0 := add(mul(x, 0xfffffffffffffffffffe94affffffffffffffffe0c3400000000000000007cf3), s1_0)
                x := sub(and(shr(67, s0_0), 0x1ffffffff), 3980697600)
                x := mul(x, x)
                s1_0 := add(mul(x, 0x1942000000000000000019037ffffffffffffffff9bf2), s1_0)
                x := sub(and(shr(100, s0_0), 0x1ffffffff), 2691260416)
                x := mul(x, x)
                s1_0 := add(mul(x, 0xfffffffffffffffffffd91cfffffffffffffffff2d4c000000000000000034ad), s1_0)
                x := sub(and(shr(133, s0_0), 0x3ffffffff), 4865236992)
                x := mul(x, x)
                s1_0 := add(mul(x, 0x88c00000000000000000df87ffffffffffffffffc81e), s1_0)
                x := sub(and(shr(167, s0_0), 0x1ffffffff), 2713714688)
                x := mul(x, x)
                s1_0 := add(mul(x, 0x20e4fffffffffffffffff9df400000000000000001883), s1_0)
                x := sub(shr(200, s0_0), 2799058944)
                x := mul(x, x)
                s1_0 := add(mul(x, 0xfffffffffffffffffffc366fffffffffffffffff262800000000000000003676), s1_0)
                x := sub(and(s0_1, 0x1ffffffff), 3419627520)
                x := mul(x, x)
                s1_0 := add(mul(x, 0xfffffffffffffffffffededffffffffffffffffe679c00000000000000006619), s1_0)
                x := sub(and(shr(33, s0_1), 0xffffffff), 1438687232)
                x := mul(x, x)
                s1_0 := add(mul(x, 0xfffffffffffffffffffb65a000000000000000002d0ffffffffffffffffff4bc), s1_0)
                x := sub(shr(65, s0_1), 4173012992)
                x := mul(x, x)
                s1_0 := add(mul(x, 0x751000000000000000014f67ffffffffffffffffac26), s1_0)
            }
            x := calldataload(outputs)
            fits := and(fits, and(lt(x, R), eq(and(s1_0, 0x3ffffffffffffffffffff), addmod(x, 2287403864375059969736704, R))))
            x := calldataload(add(outputs, 32))
            fits := and(fits, and(lt(x, R), eq(and(shr(82, s1_0), 0x3ffffffffffffffffffff), addmod(x, 2287403864375059969736704, R))))
            x := calldataload(add(outputs, 64))
            fits := and(fits, and(lt(x, R), eq(shr(164, s1_0), addmod(x, 887278777241610072621056, R))))
            mstore(0, fits)
            return(0, 32)
        }
    }
}
