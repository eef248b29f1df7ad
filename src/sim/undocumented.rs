//! What AWS's documents leave open, each as a switch with a default.

use std::collections::BTreeSet;

use crate::domain::Region;

/// How AWS behaves where its documents do not say, or contradict each other.
///
/// The default is what was seen of AWS, or else what fits its documents best. Code that is to work on AWS must be right under
/// every setting.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Undocumented {
    /// Enabling a service that is trusted, and disabling one that is not. AWS has no error that fits.
    ///
    /// Default: accepted.
    pub repetition: Repetition,
    /// Registering an account for a service that is not trusted. The API reference names a reason; AWS's knowledge centre shows another code.
    ///
    /// Default: refused for `SERVICE_ACCESS_NOT_ENABLED`, by the [API reference](https://docs.aws.amazon.com/organizations/latest/APIReference/API_RegisterDelegatedAdministrator.html).
    pub register_untrusted: RegisterUntrusted,
    /// Registering one account more than a service allows: for Systems Manager, a second one. Two reasons fit.
    ///
    /// Default: `MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED`.
    pub second_administrator: SecondAdministrator,
    /// Disabling a service while accounts are registered for it. AWS was seen to refuse it for IAM.
    ///
    /// Default: refused.
    pub disable_administered: DisableAdministered,
    /// Deregistering an account while the service is not trusted.
    ///
    /// Default: accepted.
    pub deregister_untrusted: DeregisterUntrusted,
    /// Whether a `ConstraintViolationException` or an `InvalidInputException` comes with its reason. Emulators leave it out.
    ///
    /// Default: it does.
    pub reasons: bool,
    /// Whether Organizations knows Systems Manager's principal. It does in the commercial partition; nobody says so of China.
    ///
    /// Default: it does.
    pub systems_manager_is_recognized: bool,
    /// Whether listing the trusted services needs all features, as enabling one does.
    ///
    /// Default: it does.
    pub listing_needs_all_features: bool,
    /// Whether enabling Systems Manager makes the role `AWSServiceRoleForAmazonSSM_AccountDiscovery`. AWS's documents contradict each other.
    ///
    /// Default: it does not, by the [Systems Manager guide](https://docs.aws.amazon.com/systems-manager/latest/userguide/using-service-linked-roles.html) and against the [Organizations guide](https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ssm.html).
    pub enabling_makes_role: bool,
    /// Whether deregistering an account deletes its syncs of the organization. The documents say so of the console.
    ///
    /// Default: it does, by [Explorer's guide](https://docs.aws.amazon.com/systems-manager/latest/userguide/Explorer-setup-delegated-administrator-deregister.html).
    pub deregistering_deletes_syncs: bool,
    /// The Regions in which deregistering deletes none, though it does in others. The documents name no Region.
    ///
    /// Default: none.
    pub deregistering_spares: BTreeSet<Region>,
    /// Whether syncs work again when trusted access comes back.
    ///
    /// Default: they do not, by the [Organizations guide](https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate-ssm.html).
    pub syncs_recover: bool,
    /// Creating a sync of the organization without that role, or without trusted access.
    ///
    /// Default: refused.
    pub unready_sync: UnreadySync,
    /// Creating a sync of the organization as neither the management account nor the administrator.
    ///
    /// Default: `AccessDeniedException`.
    pub sync_of_a_member: SyncOfAMember,
    /// Whether the five syncs of an account and Region are five of both types together.
    ///
    /// Default: they are.
    pub sync_quota_is_shared: bool,
    /// Whether a listing shows the booleans of a sync.
    ///
    /// Default: it does.
    pub sync_booleans_are_shown: bool,
    /// Creating a service-linked role that exists.
    ///
    /// Default: `InvalidInput`.
    pub duplicate_role: DuplicateRole,
    /// Whether the administrator's syncs, too, keep the management account's role from being deleted. The guide says "all" of Explorer's syncs.
    ///
    /// Default: they do.
    pub role_serves_all_syncs: bool,
    /// Whether an account's syncs of itself alone, too, keep its role from being deleted. The guide says "all" of Explorer's syncs.
    ///
    /// Default: they do.
    pub role_serves_single_accounts: bool,
}

impl Default for Undocumented {
    fn default() -> Self {
        Self {
            repetition: Repetition::Accepted,
            register_untrusted: RegisterUntrusted::ServiceAccessNotEnabled,
            second_administrator: SecondAdministrator::LimitExceeded,
            disable_administered: DisableAdministered::Refused,
            deregister_untrusted: DeregisterUntrusted::Accepted,
            reasons: true,
            systems_manager_is_recognized: true,
            listing_needs_all_features: true,
            enabling_makes_role: false,
            deregistering_deletes_syncs: true,
            deregistering_spares: BTreeSet::new(),
            syncs_recover: false,
            unready_sync: UnreadySync::Refused,
            sync_of_a_member: SyncOfAMember::AccessDenied,
            sync_quota_is_shared: true,
            sync_booleans_are_shown: true,
            duplicate_role: DuplicateRole::InvalidInput,
            role_serves_all_syncs: true,
            role_serves_single_accounts: true,
        }
    }
}

/// A switch and all its positions.
macro_rules! switch {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant),*
        }

        impl $name {
            /// Every position of the switch.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
        }
    };
}

switch! {
    /// Enabling again, or disabling again.
    Repetition {
        /// Nothing happens, and the date stays.
        Accepted,
        /// `ConstraintViolationException`, without a reason.
        Refused,
    }
}

switch! {
    /// Registering an account for a service that is not trusted.
    RegisterUntrusted {
        /// `ConstraintViolationException`, `SERVICE_ACCESS_NOT_ENABLED`.
        ServiceAccessNotEnabled,
        /// `InvalidInputException`, `UNRECOGNIZED_SERVICE_PRINCIPAL`; also without all features.
        UnrecognizedServicePrincipal,
        /// The account is registered, and the service is not trusted.
        Accepted,
        /// The account is registered, and the service is trusted.
        Enables,
    }
}

switch! {
    /// Registering one account more than a service allows: for Systems Manager, a second one.
    SecondAdministrator {
        /// `ConstraintViolationException`, `MAX_DELEGATED_ADMINISTRATORS_FOR_SERVICE_LIMIT_EXCEEDED`.
        LimitExceeded,
        /// `ConstraintViolationException`, `DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE`.
        Exists,
        /// All are administrators.
        Accepted,
    }
}

switch! {
    /// Disabling a service while accounts are registered for it.
    DisableAdministered {
        /// `ConstraintViolationException`, `DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE`.
        Refused,
        /// The accounts stay registered.
        Orphans,
        /// The accounts are deregistered, with all that this does to their syncs.
        Deregisters,
    }
}

switch! {
    /// Deregistering an account while the service is not trusted.
    DeregisterUntrusted {
        /// It is deregistered.
        Accepted,
        /// `ConstraintViolationException`, `SERVICE_ACCESS_NOT_ENABLED`.
        Refused,
    }
}

switch! {
    /// Creating a sync of the organization without the service-linked role, or without trusted access.
    UnreadySync {
        /// `ResourceDataSyncInvalidConfigurationException`.
        Refused,
        /// The sync is created, and its state says what is missing.
        Created,
    }
}

switch! {
    /// Creating a sync of the organization as neither the management account nor the administrator.
    SyncOfAMember {
        /// `AccessDeniedException`.
        AccessDenied,
        /// `ResourceDataSyncInvalidConfigurationException`.
        InvalidConfiguration,
    }
}

switch! {
    /// Creating a service-linked role that exists.
    DuplicateRole {
        /// `InvalidInput`, as seen of several services.
        InvalidInput,
        /// `EntityAlreadyExists`, as an emulator has it.
        EntityAlreadyExists,
    }
}
