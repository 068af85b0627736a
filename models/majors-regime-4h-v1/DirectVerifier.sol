// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title DirectVerifier
/// @notice Computes the model majors-regime-4h-v1 and compares what is claimed of it: 16 features and 3 outputs of each of 3 market(s).
/// There is no proof: the chain itself runs the model.
/// @dev Generated.
/// Layer 1: 6 sums of 16 inputs, of magnitude 5035180032 at most, squared.
/// Layer 2: 3 sums of 6 inputs, of magnitude 2240733319759682059894784 at most.
/// Behind the last layer each market adds what is its own, a word of the data for each output.
contract DirectVerifier {
    /// Order of the field that public inputs are elements of; negative numbers are counted down from it.
    uint256 private constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// Largest magnitude of a feature, and how many values it can have.
    uint256 private constant BOUND = 32768;
    uint256 private constant WIDTH = 65537;
    bytes private constant DATA = hex"00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000ffffffffffffffffffffffffffffffffffffffffffffffd828000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000034cf800000000000000";

    /// @notice Answers `verifyProof(bytes,uint256[])`: whether each output is what the model gives for its features.
    /// @dev The proof is empty; public inputs are all markets' features, then all markets' outputs, canonical elements of the
    /// field. Only the one encoding of that is read. Where each of them stands is known then, and nothing is decoded.
    fallback() external {
        bytes memory own = DATA;
        assembly {
            let asked := and(eq(calldatasize(), 1956), eq(shr(224, calldataload(0)), 0x1e8e1e13))
            asked := and(asked, and(eq(calldataload(4), 64), eq(calldataload(36), 96)))
            asked := and(asked, and(iszero(calldataload(68)), eq(calldataload(100), 57)))
            if iszero(asked) { revert(0, 0) }
            let fits := 1
            let at := 132
            let outputs := 1668
            if xor(own, 128) { revert(0, 0) }
            for { let end := outputs } lt(at, end) { outputs := add(outputs, 96) } {
                let x
                let s1_0 := 0x91bbee8f49ece400000076bb5962e9dfb60000001da0f658ba77ed8000000
                {
                    let s0_0 := 0xc92b80002f8f700008d24800068e300000f30f0000e9a50000
                    {
                        let x0 := calldataload(at)
                        let y0 := addmod(x0, BOUND, R)
                        let x1 := calldataload(add(at, 32))
                        let y1 := addmod(x1, BOUND, R)
                        fits := and(lt(y1, WIDTH), and(lt(x1, R), and(lt(y0, WIDTH), and(lt(x0, R), fits))))
                        s0_0 := add(mul(y1, 0xfffffffffffffffffff232ffffff80c00001f90fffffaacffffff44000003f8f), add(mul(y0, 0xffffffffffffffffffe2b1800019af40000426afffff2de800003cd0000036ac), s0_0))
                    }
                    {
                        let x2 := calldataload(add(at, 64))
                        let y2 := addmod(x2, BOUND, R)
                        let x3 := calldataload(add(at, 96))
                        let y3 := addmod(x3, BOUND, R)
                        fits := and(lt(y3, WIDTH), and(lt(x3, R), and(lt(y2, WIDTH), and(lt(x2, R), fits))))
                        s0_0 := add(mul(y3, 0xfffffffffffffffffffb11000000484000027de000006e27ffffea0fffffe420), add(mul(y2, 0xffffffffffffffffffe82a000002ae4000079d0fffffc0f800006bffffffcd10), s0_0))
                    }
                    {
                        let x4 := calldataload(add(at, 128))
                        let y4 := addmod(x4, BOUND, R)
                        let x5 := calldataload(add(at, 160))
                        let y5 := addmod(x5, BOUND, R)
                        fits := and(lt(y5, WIDTH), and(lt(x5, R), and(lt(y4, WIDTH), and(lt(x4, R), fits))))
                        s0_0 := add(mul(y5, 0xfffffffffffffffffff2300000029700000145000000365fffffb5bffffff4e0), add(mul(y4, 0xfffffffffffffffffffb907ffff64b80000120afffff4d680000197ffffff599), s0_0))
                    }
                    {
                        let x6 := calldataload(add(at, 192))
                        let y6 := addmod(x6, BOUND, R)
                        let x7 := calldataload(add(at, 224))
                        let y7 := addmod(x7, BOUND, R)
                        fits := and(lt(y7, WIDTH), and(lt(x7, R), and(lt(y6, WIDTH), and(lt(x6, R), fits))))
                        s0_0 := add(mul(y7, 0x102f7ffffb5d7ffffc1d200000d8f7ffffcd140000302f), add(mul(y6, 0x1317ffff930c00001b86000004cbfffffdeb3ffffe3c8), s0_0))
                    }
                    {
                        let x8 := calldataload(add(at, 256))
                        let y8 := addmod(x8, BOUND, R)
                        let x9 := calldataload(add(at, 288))
                        let y9 := addmod(x9, BOUND, R)
                        fits := and(lt(y9, WIDTH), and(lt(x9, R), and(lt(y8, WIDTH), and(lt(x8, R), fits))))
                        s0_0 := add(mul(y9, 0xfffffffffffffffffff7b18000064b000000e4cfffff7b6000003694000017d1), add(mul(y8, 0xffffffffffffffffffef168000023ec00002ed7fffff079000006290000009b2), s0_0))
                    }
                    {
                        let x10 := calldataload(add(at, 320))
                        let y10 := addmod(x10, BOUND, R)
                        let x11 := calldataload(add(at, 352))
                        let y11 := addmod(x11, BOUND, R)
                        fits := and(lt(y11, WIDTH), and(lt(x11, R), and(lt(y10, WIDTH), and(lt(x10, R), fits))))
                        s0_0 := add(mul(y11, 0xfffffffffffffffffffb5cfffffe2680000109bffffff2d000001dc400000dda), add(mul(y10, 0xfffffffffffffffffff8df7ffffd48c00000004fffffcd98000054d80000137b), s0_0))
                    }
                    {
                        let x12 := calldataload(add(at, 384))
                        let y12 := addmod(x12, BOUND, R)
                        let x13 := calldataload(add(at, 416))
                        let y13 := addmod(x13, BOUND, R)
                        fits := and(lt(y13, WIDTH), and(lt(x13, R), and(lt(y12, WIDTH), and(lt(x12, R), fits))))
                        s0_0 := add(mul(y13, 0xa1800000da1bffffef2bfffff8bd800000c8ffffff11b), add(mul(y12, 0xffffffffffffffffffde067ffff5a20000037c6fffff75f800015ca3ffffc14d), s0_0))
                    }
                    {
                        let x14 := calldataload(add(at, 448))
                        let y14 := addmod(x14, BOUND, R)
                        let x15 := calldataload(add(at, 480))
                        let y15 := addmod(x15, BOUND, R)
                        fits := and(lt(y15, WIDTH), and(lt(x15, R), and(lt(y14, WIDTH), and(lt(x14, R), fits))))
                        s0_0 := add(mul(y15, 0xfffffffffffffffffffc717fffff08ffffff864fffffd8300000621bffffe482), add(mul(y14, 0x7d60000005d7fffff497000001a2000003a340000288a), s0_0))
                    }
                    x := sub(and(s0_0, 0x3ffffffff), 4304838656)
                    x := mul(x, x)
                    s1_0 := add(mul(x, 0x236b0000000000000000213afffffffffffffffff7b14), s1_0)
                    x := sub(and(shr(34, s0_0), 0x1ffffffff), 2564055040)
                    x := mul(x, x)
                    s1_0 := add(mul(x, 0x2c8700000000000000001b50fffffffffffffffff92bc), s1_0)
                    x := sub(and(shr(67, s0_0), 0x1ffffffff), 2267611136)
                    x := mul(x, x)
                    s1_0 := add(mul(x, 0x1fc9fffffffffffffffffb458000000000000000012ea), s1_0)
                    x := sub(and(shr(100, s0_0), 0x3ffffffff), 5035180032)
                    x := mul(x, x)
                    s1_0 := add(mul(x, 0x10fd00000000000000001b73bffffffffffffffff9231), s1_0)
                    x := sub(and(shr(134, s0_0), 0x1ffffffff), 3400163328)
                    x := mul(x, x)
                    s1_0 := add(mul(x, 0x15eb00000000000000000d8a7ffffffffffffffffc9d6), s1_0)
                    x := sub(shr(167, s0_0), 3967451136)
                    x := mul(x, x)
                    s1_0 := add(mul(x, 0xfffffffffffffffffffc788ffffffffffffffffdf5940000000000000000829b), s1_0)
                }
                at := add(at, 512)
                x := calldataload(outputs)
                fits := and(fits, and(lt(x, R), eq(and(s1_0, 0x3ffffffffffffffffffff), addmod(x, 2240733319759682059894784, R))))
                x := calldataload(add(outputs, 32))
                fits := and(fits, and(lt(x, R), eq(and(shr(82, s1_0), 0x3ffffffffffffffffffff), addmod(x, 2240733319759682059894784, R))))
                x := calldataload(add(outputs, 64))
                fits := and(fits, and(lt(x, R), eq(add(shr(164, s1_0), mload(sub(outputs, 1444))), addmod(x, 826627609427931710881792, R))))
            }
            mstore(0, fits)
            return(0, 32)
        }
    }
}
