// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Ownable} from "solady/auth/Ownable.sol";

/// @title Governed
/// @notice An owner who announces, waits and acts, and a guardian who may refuse in between.
/// @dev An operation is a caller with the calldata of a call. Anyone may announce their own calls: whether the caller may
/// do what they announced is decided when they do it. Only the canonical calldata of a call can be used, so that a refused
/// call has no second name; announcing again changes nothing, so that nobody can push a date away.
abstract contract Governed is Ownable {
    /// @notice Shortest timelock on any chain that is not a development chain.
    uint256 internal constant MIN_TIMELOCK_SECONDS = 1 days;

    /// @notice Time after its ripening in which an operation can be used.
    uint256 internal constant OPERATION_LIFETIME_SECONDS = 14 days;

    uint256 private constant DEVELOPMENT_CHAIN_ID = 31_337;

    /// @notice Time between announcing and doing.
    uint256 public immutable timelockSeconds;

    /// @notice The account that may refuse, and do what else the contract lets it.
    address public guardian;

    /// @notice When an announced operation ripens, in Unix seconds; 0 if it is not announced.
    mapping(bytes32 operation => uint256) public readyAt;

    /// @notice An operation was announced.
    event OperationScheduled(bytes32 indexed operation, address indexed caller, bytes data, uint256 readyAt);

    /// @notice The guardian refused an operation.
    event OperationVetoed(bytes32 indexed operation);

    /// @notice There is another guardian.
    event GuardianSet(address indexed guardian);

    /// @notice Thrown when the timelock is too short for this chain.
    error TimelockTooShort(uint256 seconds_);

    /// @notice Thrown when a call was not announced, or is not the canonical encoding of what it does.
    error NotScheduled(bytes32 operation);

    /// @notice Thrown when an announced call is not ripe yet, or no longer fresh.
    error NotReady(bytes32 operation, uint256 readyAt);

    /// @notice Thrown when an operation is announced that is announced already.
    error AlreadyScheduled(bytes32 operation);

    /// @notice Thrown when the caller is not the guardian.
    error NotGuardian(address caller);

    modifier onlyGuardian() {
        if (msg.sender != guardian) revert NotGuardian(msg.sender);
        _;
    }

    constructor(address owner_, address guardian_, uint256 timelockSeconds_) {
        if (owner_ == address(0)) revert NewOwnerIsZeroAddress();
        if (timelockSeconds_ < MIN_TIMELOCK_SECONDS && block.chainid != DEVELOPMENT_CHAIN_ID) {
            revert TimelockTooShort(timelockSeconds_);
        }
        timelockSeconds = timelockSeconds_;
        _initializeOwner(owner_);
        _setGuardian(guardian_);
    }

    /// @notice Announces a call to this contract that the caller will make itself.
    /// @param data Its calldata, selector first.
    function schedule(bytes calldata data) external returns (bytes32 operation) {
        operation = operationOf(msg.sender, data);
        uint256 ripe = readyAt[operation];
        if (ripe != 0 && !_expired(ripe)) revert AlreadyScheduled(operation);
        readyAt[operation] = block.timestamp + timelockSeconds;
        emit OperationScheduled(operation, msg.sender, data, block.timestamp + timelockSeconds);
    }

    /// @notice Refuses an announced operation. Only the guardian.
    function veto(bytes32 operation) external onlyGuardian {
        if (readyAt[operation] == 0) revert NotScheduled(operation);
        delete readyAt[operation];
        emit OperationVetoed(operation);
    }

    /// @notice Replaces the guardian. Only the owner, timelocked.
    function setGuardian(address newGuardian) external onlyOwner {
        _useTimelock(abi.encodeCall(this.setGuardian, (newGuardian)));
        _setGuardian(newGuardian);
    }

    /// @notice Hands over to an account that has asked with `requestOwnershipHandover`. Only the owner, timelocked.
    function completeOwnershipHandover(address newOwner) public payable override {
        _checkOwner();
        _useTimelock(abi.encodeCall(this.completeOwnershipHandover, (newOwner)));
        super.completeOwnershipHandover(newOwner);
    }

    /// @notice Refused: ownership moves in two steps.
    function transferOwnership(address) public payable override {
        revert Unauthorized();
    }

    /// @notice Refused: a contract without an owner could replace nobody.
    function renounceOwnership() public payable override {
        revert Unauthorized();
    }

    /// @notice The name of an operation.
    function operationOf(address caller, bytes memory data) public pure returns (bytes32) {
        return keccak256(abi.encode(caller, data));
    }

    /// @dev Uses up the announcement of this very call.
    /// @param canonical The one encoding of the call.
    function _useTimelock(bytes memory canonical) internal {
        bytes32 operation = operationOf(msg.sender, msg.data);
        uint256 ripe = readyAt[operation];
        if (ripe == 0 || keccak256(canonical) != keccak256(msg.data)) revert NotScheduled(operation);
        if (block.timestamp < ripe || _expired(ripe)) revert NotReady(operation, ripe);
        delete readyAt[operation];
    }

    function _expired(uint256 ripe) internal view returns (bool) {
        return block.timestamp > ripe + OPERATION_LIFETIME_SECONDS;
    }

    function _setGuardian(address guardian_) private {
        guardian = guardian_;
        emit GuardianSet(guardian_);
    }
}
