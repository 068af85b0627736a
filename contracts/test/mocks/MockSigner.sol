// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @notice An ERC-1271 signer that does what it is told.
contract MockSigner {
    enum Behaviour {
        Accept,
        Refuse,
        RevertReason,
        ReturnNothing,
        ReturnFourBytes,
        ReturnDirtyMagic,
        BurnAllGas
    }

    Behaviour private _behaviour;
    bytes32 private _expected;

    function behave(Behaviour next) external {
        _behaviour = next;
    }

    /// @notice From now on accept this signature of this digest and nothing else.
    function acceptOnly(bytes32 digest, bytes calldata signature) external {
        _expected = keccak256(abi.encode(digest, signature));
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        bytes4 magic = MockSigner.isValidSignature.selector;
        if (_behaviour == Behaviour.RevertReason) revert("no");
        if (_behaviour == Behaviour.ReturnNothing) {
            assembly {
                return(0, 0)
            }
        }
        if (_behaviour == Behaviour.ReturnFourBytes) {
            assembly {
                mstore(0, magic)
                return(0, 4)
            }
        }
        if (_behaviour == Behaviour.ReturnDirtyMagic) {
            assembly {
                mstore(0, or(magic, 1))
                return(0, 32)
            }
        }
        if (_behaviour == Behaviour.BurnAllGas) {
            assembly {
                invalid()
            }
        }
        if (_expected != 0 && keccak256(abi.encode(digest, signature)) != _expected) return 0xffffffff;
        return _behaviour == Behaviour.Accept ? magic : bytes4(0xffffffff);
    }
}
