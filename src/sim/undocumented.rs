//! Options for behavior that AWS's documents leave open, each with a default.

use std::collections::BTreeSet;

use crate::domain::Region;

/// Behavior of AWS where its documents are silent or contradict each other.
///
/// The default is AWS's observed behavior, or else the behavior that fits its documents best. Code
/// for AWS must work under every setting.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct UndocumentedBehavior {
    /// Result of enabling a service that is enabled, or disabling one that is disabled. AWS
    /// documents no matching error, and was reported to accept a repeated enabling.
    ///
    /// Default: accepted.
    pub repeated_write: RepeatedWrite,
    /// Result of registering an account for a service without trusted access. The API reference
    /// names a reason; AWS's knowledge centre shows another code.
    ///
    /// Default: refused for `SERVICE_ACCESS_NOT_ENABLED`, by the [API
    /// reference](https://docs.aws.amazon.com/organizations/latest/APIReference/API_RegisterDelegatedAdministrator.html).
    pub register_without_trust: RegisterWithoutTrust,
    /// Result of registering one account more than a service allows; for Systems Manager, a second
    /// one. Two documented reasons fit.
    ///
    /// Default: `MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED`.
    pub second_administrator: SecondAdministrator,
    /// Result of disabling a service that has registered administrators. AWS was observed to refuse
    /// this for IAM, and documents the refusal for `StackSets`.
    ///
    /// Default: refused, by the [CloudFormation
    /// guide](https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-activate-trusted-access.html).
    pub disable_with_administrators: DisableWithAdministrators,
    /// Result of deregistering an account while trusted access is disabled for the service.
    ///
    /// Default: accepted.
    pub deregister_without_trust: DeregisterWithoutTrust,
    /// Includes the reason in a `ConstraintViolationException` or `InvalidInputException`.
    /// Emulators omit the reason.
    ///
    /// Default: `true`.
    pub reasons: bool,
    /// Appends the field of the request to the reason of an `InvalidInputException`, as in
    /// `UNRECOGNIZED_SERVICE_PRINCIPAL:ServicePrincipal`. AWS was observed to do so for some
    /// reasons, and not for `INVALID_NEXT_TOKEN`.
    ///
    /// Default: `false`, by the [API
    /// reference](https://docs.aws.amazon.com/organizations/latest/APIReference/API_EnableAWSServiceAccess.html).
    pub reason_fields: bool,
    /// Makes Organizations recognize the service principal of Systems Manager. AWS does so in the
    /// commercial partition; for China it is not documented.
    ///
    /// Default: `true`.
    pub systems_manager_is_recognized: bool,
    /// Makes Organizations recognize a service that works with trusted access only when its
    /// administrators are listed, so that the listing is empty. AWS was observed to refuse the
    /// listing for Control Tower.
    ///
    /// Default: `false`.
    pub trust_only_services_are_recognized: bool,
    /// Requires all features to list the services with trusted access, as enabling one does.
    ///
    /// Default: `true`.
    pub listing_needs_all_features: bool,
    /// Creates the role `AWSServiceRoleForAmazonSSM_AccountDiscovery` when trusted access for
    /// Systems Manager is enabled. AWS's documents contradict each other.
    ///
    /// Default: `false`, by the [Systems Manager
    /// guide](https://docs.aws.amazon.com/systems-manager/latest/userguide/using-service-linked-roles.html)
    /// and against the [Organizations
    /// guide](https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ssm.html).
    pub enabling_makes_role: bool,
    /// Deletes an account's syncs of the organization when the account is deregistered. AWS
    /// documents this for the console only.
    ///
    /// Default: `true`, by [Explorer's
    /// guide](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator-deregister.html).
    pub deregistering_deletes_syncs: bool,
    /// Regions in which deregistering deletes no syncs, even if it deletes them in others. AWS's
    /// documents name no Region.
    ///
    /// Default: none.
    pub deregistering_spares: BTreeSet<Region>,
    /// Makes syncs work again when trusted access is enabled again. The Organizations guide asked
    /// for a new sync; its page of 2026 does not mention the point.
    ///
    /// Default: `false`, by the sync state `TrustedAccessDisabled` of the [API
    /// reference](https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ResourceDataSyncSourceWithState.html).
    pub syncs_recover: bool,
    /// Result of creating a sync of the organization without the account discovery role, or without
    /// trusted access.
    ///
    /// Default: refused.
    pub sync_without_prerequisites: SyncWithoutPrerequisites,
    /// Result of creating a sync of the organization as neither the management account nor the
    /// administrator.
    ///
    /// Default: `AccessDeniedException`.
    pub member_sync: MemberSync,
    /// Counts both sync types together toward the quota of five syncs per account and Region.
    ///
    /// Default: `true`.
    pub sync_quota_is_shared: bool,
    /// Includes the boolean fields of a sync in listings.
    ///
    /// Default: `true`.
    pub sync_booleans_are_shown: bool,
    /// Result of creating a service-linked role that exists.
    ///
    /// Default: `InvalidInput`.
    pub duplicate_role: DuplicateRole,
    /// Reports a deletion as failed, without a reason, although the role is gone. AWS documents a
    /// reason for each role that it keeps.
    ///
    /// Default: `false`, by the [IAM API
    /// reference](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLinkedRoleDeletionStatus.html).
    pub role_deletions_fail_without_reason: bool,
    /// Makes the administrator's syncs, too, prevent the deletion of the management account's role.
    /// The guide says "all" of Explorer's syncs.
    ///
    /// Default: `true`.
    pub role_serves_all_syncs: bool,
    /// Makes an account's single-account syncs, too, prevent the deletion of its role. The guide
    /// says "all" of Explorer's syncs.
    ///
    /// Default: `true`.
    pub role_serves_single_accounts: bool,
}

impl Default for UndocumentedBehavior {
    fn default() -> Self {
        Self {
            repeated_write: RepeatedWrite::Accepted,
            register_without_trust: RegisterWithoutTrust::ServiceAccessNotEnabled,
            second_administrator: SecondAdministrator::LimitExceeded,
            disable_with_administrators: DisableWithAdministrators::Refused,
            deregister_without_trust: DeregisterWithoutTrust::Accepted,
            reasons: true,
            reason_fields: false,
            systems_manager_is_recognized: true,
            trust_only_services_are_recognized: false,
            listing_needs_all_features: true,
            enabling_makes_role: false,
            deregistering_deletes_syncs: true,
            deregistering_spares: BTreeSet::new(),
            syncs_recover: false,
            sync_without_prerequisites: SyncWithoutPrerequisites::Refused,
            member_sync: MemberSync::AccessDenied,
            sync_quota_is_shared: true,
            sync_booleans_are_shown: true,
            duplicate_role: DuplicateRole::InvalidInput,
            role_deletions_fail_without_reason: false,
            role_serves_all_syncs: true,
            role_serves_single_accounts: true,
        }
    }
}

/// Defines an option and its values.
macro_rules! switch {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant),*
        }

        impl $name {
            /// All values of the option.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
        }
    };
}

switch! {
    /// Result of a repeated enabling or disabling.
    RepeatedWrite {
        /// The call succeeds, changes nothing and keeps the date.
        Accepted,
        /// `ConstraintViolationException`, without a reason.
        Refused,
    }
}

switch! {
    /// Result of registering an account for a service without trusted access.
    RegisterWithoutTrust {
        /// `ConstraintViolationException`, `SERVICE_ACCESS_NOT_ENABLED`.
        ServiceAccessNotEnabled,
        /// `InvalidInputException`, `UNRECOGNIZED_SERVICE_PRINCIPAL`; also without all features.
        UnrecognizedServicePrincipal,
        /// AWS registers the account; trusted access stays disabled.
        Accepted,
        /// AWS registers the account and enables trusted access.
        Enables,
    }
}

switch! {
    /// Result of registering one account more than a service allows; for Systems Manager, a second
    /// one.
    SecondAdministrator {
        /// `ConstraintViolationException`,
        /// `MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED`.
        LimitExceeded,
        /// `ConstraintViolationException`, `DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE`.
        Exists,
        /// AWS registers every account.
        Accepted,
    }
}

switch! {
    /// Result of disabling a service that has registered administrators.
    DisableWithAdministrators {
        /// `ConstraintViolationException`, `DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE`.
        Refused,
        /// The accounts stay registered.
        Orphans,
        /// AWS deregisters the accounts, with the effects on their syncs.
        Deregisters,
    }
}

switch! {
    /// Result of deregistering an account while trusted access is disabled for the service.
    DeregisterWithoutTrust {
        /// AWS deregisters the account.
        Accepted,
        /// `ConstraintViolationException`, `SERVICE_ACCESS_NOT_ENABLED`.
        Refused,
    }
}

switch! {
    /// Result of creating a sync of the organization without the service-linked role, or without
    /// trusted access.
    SyncWithoutPrerequisites {
        /// `ResourceDataSyncInvalidConfigurationException`.
        Refused,
        /// AWS creates the sync, and its state names the missing prerequisite.
        Created,
    }
}

switch! {
    /// Result of creating a sync of the organization as neither the management account nor the
    /// administrator.
    MemberSync {
        /// `AccessDeniedException`.
        AccessDenied,
        /// `ResourceDataSyncInvalidConfigurationException`.
        InvalidConfiguration,
    }
}

switch! {
    /// Result of creating a service-linked role that exists.
    DuplicateRole {
        /// `InvalidInput`, as observed for several services.
        InvalidInput,
        /// `EntityAlreadyExists`, as returned by an emulator.
        EntityAlreadyExists,
    }
}
