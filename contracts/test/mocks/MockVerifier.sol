// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IVerifier} from "../../src/interfaces/IVerifier.sol";

/// @notice A verifier that does what it is told. Its code, and so its hash, stays the same whatever that is.
contract MockVerifier is IVerifier {
    enum Behaviour {
        Accept,
        Refuse,
        RevertEmpty,
        RevertReason,
        ReturnNothing,
        ReturnGarbage,
        BurnAllGas
    }

    Behaviour public behaviour;
    bytes32 private _expected;

    function behave(Behaviour next) external {
        behaviour = next;
    }

    /// @notice From now on accept this proof for these instances and nothing else.
    function acceptOnly(bytes calldata proof, uint256[] calldata instances) external {
        _expected = keccak256(abi.encode(proof, instances));
    }

    /// @notice From now on do as `behave` says again.
    function acceptAny() external {
        _expected = 0;
    }

    function verifyProof(bytes calldata proof, uint256[] calldata instances) external view returns (bool) {
        if (behaviour == Behaviour.RevertEmpty) {
            assembly {
                revert(0, 0)
            }
        }
        if (behaviour == Behaviour.RevertReason) revert("no");
        if (behaviour == Behaviour.ReturnNothing) {
            assembly {
                return(0, 0)
            }
        }
        if (behaviour == Behaviour.ReturnGarbage) {
            assembly {
                mstore(0, 2)
                return(0, 32)
            }
        }
        if (behaviour == Behaviour.BurnAllGas) {
            assembly {
                invalid()
            }
        }
        if (_expected != 0) return keccak256(abi.encode(proof, instances)) == _expected;
        return behaviour == Behaviour.Accept;
    }
}
