//! Conformance suite for the SDK adapter on a live moto server, and a comparison of moto with the
//! in-memory organization. Each known deviation of moto from AWS names the AWS document.

#[cfg(test)]
#[path = "moto/client.rs"]
mod client;

#[cfg(test)]
#[path = "moto/server.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod server;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ssm_organizations::aws::AwsClient;
    use ssm_organizations::conformance::{self, Fixture, Ports};
    use ssm_organizations::domain::{PageToken, RoleName};
    use ssm_organizations::ports::{AccountState, Client, DeletionStatus, FeatureSet, IamApi};
    use ssm_organizations::sim::{DisableWithAdministrators, DuplicateRole, UndocumentedBehavior};
    use ssm_organizations::{AccountId, Error, ServicePrincipal, sim};

    use super::client::{client_of, management};
    use super::server::{MANAGEMENT, Moto, text};

    const STRANGER: &str = "999999999999";

    fn id(account: &str) -> AccountId {
        account.parse().unwrap()
    }

    fn service(name: &str) -> ServicePrincipal {
        name.parse().unwrap()
    }

    /// Returns the ports without Systems Manager, because moto has no data syncs.
    fn ports(client: &AwsClient) -> Ports<'_> {
        Ports::new().organizations(client).sts(client).iam(client)
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn aws_client_on_moto_conforms_except_known_failures() {
        let moto = Moto::start();
        let organization = moto.organization(3);
        let [member, other, suspended] = [0, 1, 2].map(|at| organization.members[at].as_str());
        moto.boto3(&["close", suspended]);
        moto.boto3(&["enable", "config.amazonaws.com"]);
        moto.boto3(&["enable", "ram.amazonaws.com"]);
        let unit = moto.boto3(&["unit"])["id"].as_str().expect("a unit").parse().unwrap();
        let before = moto.state();
        let [managements, members, outsiders] =
            [management(&moto), client_of(&moto, member), client_of(&moto, STRANGER)];
        let fixture = Fixture::new(ports(&managements))
            .member(id(member))
            .member_client(ports(&members))
            .other_member(id(other))
            .suspended_member(id(suspended))
            .outsider(id(STRANGER))
            .unit(unit)
            .outsider_client(ports(&outsiders))
            .trusted_services(["config.amazonaws.com", "ram.amazonaws.com"].map(service))
            .timeout(Duration::from_secs(1))
            .pause(Duration::from_millis(100));

        let report = conformance::run(&fixture).await;
        let known: Vec<_> = KNOWN_FAILURES.iter().map(|(name, _)| *name).collect();
        report.conforms_except(&known).unwrap_or_else(|error| panic!("{error}"));
        for (name, document) in KNOWN_FAILURES {
            assert_eq!(report.result(name).unwrap().check().document(), *document, "{name}");
        }
        for finding in report.skipped() {
            let check = finding.check();
            assert!(check.service() == "ssm" || check.name() == "role_in_use_is_kept_or_gone", "{finding}");
        }
        assert_eq!(moto.state(), before, "{report}");
        for role in ["AWSServiceRoleForssm_Accountdiscovery", "AWSServiceRoleForAmazonSSM_AccountDiscovery"] {
            assert_eq!(managements.get_role(&role.parse().unwrap()).await.unwrap(), None);
        }
    }

    /// Conformance checks that moto 5.2.5 fails, with the AWS document of each. A check that moto
    /// passes must be removed from this list.
    const KNOWN_FAILURES: &[(&str, &str)] = &[
        // moto ignores page tokens.
        ("foreign_page_token_of_services_is_refused", LIST_SERVICES),
        ("foreign_page_token_of_administrators_is_refused", LIST_ADMINISTRATORS),
        // moto registers any account: before trusted access is enabled, in addition to another
        // administrator, and a suspended account.
        ("registering_before_enabling_is_refused", REGISTER),
        ("registering_a_second_account_is_refused", ONE_ADMINISTRATOR),
        ("registering_a_suspended_account_is_refused", REGISTER),
        // On moto each member account is the management account of its own empty organization.
        ("member_may_not_list_services", LIST_SERVICES),
        ("member_may_not_list_administrators", LIST_ADMINISTRATORS),
        ("member_may_not_describe_accounts", DESCRIBE_ACCOUNT),
        ("member_may_not_describe_units", DESCRIBE_UNIT),
        ("member_may_not_enable", ENABLE),
        ("member_may_not_disable", DISABLE),
        ("member_may_not_register", REGISTER),
        ("member_may_not_deregister", DEREGISTER),
        ("administrator_may_read", LIST_SERVICES),
        ("administrator_may_not_write", DEREGISTER),
        // moto derives the role names from the principal, and creates roles for any principal
        // with a dot.
        ("created_role_is_there", DISCOVERY_ROLE),
        ("role_for_no_service_is_refused", CREATE_ROLE),
        // moto reports success for every deletion, including unknown ones.
        ("status_of_an_unknown_deletion_is_refused", DELETION_STATUS),
    ];

    macro_rules! documents {
        ($($name:ident: $page:literal;)*) => {
            $(const $name: &str = concat!("https://docs.aws.amazon.com/", $page, ".html");)*
        };
    }

    documents! {
        ENABLE: "organizations/latest/APIReference/API_EnableAWSServiceAccess";
        DISABLE: "organizations/latest/APIReference/API_DisableAWSServiceAccess";
        LIST_SERVICES: "organizations/latest/APIReference/API_ListAWSServiceAccessForOrganization";
        REGISTER: "organizations/latest/APIReference/API_RegisterDelegatedAdministrator";
        DEREGISTER: "organizations/latest/APIReference/API_DeregisterDelegatedAdministrator";
        LIST_ADMINISTRATORS: "organizations/latest/APIReference/API_ListDelegatedAdministrators";
        DESCRIBE_ACCOUNT: "organizations/latest/APIReference/API_DescribeAccount";
        DESCRIBE_UNIT: "organizations/latest/APIReference/API_DescribeOrganizationalUnit";
        ALL_FEATURES: "organizations/latest/userguide/orgs_integrate_services";
        ONE_ADMINISTRATOR: "systems-manager/latest/userguide/Explorer-setup-delegated-administrator";
        DISCOVERY_ROLE: "systems-manager/latest/userguide/using-service-linked-roles-service-action-2";
        CREATE_ROLE: "IAM/latest/APIReference/API_CreateServiceLinkedRole";
        DELETION_STATUS: "IAM/latest/APIReference/API_GetServiceLinkedRoleDeletionStatus";
    }

    const SSM: &str = "ssm.amazonaws.com";
    const CONFIG: &str = "config.amazonaws.com";
    const GUARDDUTY: &str = "guardduty.amazonaws.com";
    const DISCOVERY: &str = "accountdiscovery.ssm.amazonaws.com";

    /// Account of a scenario, inside or outside the organization.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum AccountRole {
        Management,
        Member,
        Other,
        Suspended,
        Stranger,
    }
    use AccountRole::{Management, Member, Other, Stranger, Suspended};

    #[derive(Debug, Clone, Copy)]
    enum Call {
        WhoAmI,
        DescribeOrganization,
        DescribeAccount(AccountRole),
        Enable(&'static str),
        Disable(&'static str),
        Services,
        ServicesFromAForeignToken,
        Register(AccountRole, &'static str),
        Deregister(AccountRole, &'static str),
        Administrators(&'static str),
        AdministratorsFromAForeignToken,
        CreateRole(&'static str),
        /// Reads the last role that was created.
        Role,
        /// Deletes the last role that was created, and waits for the end of the deletion.
        DeleteRole,
        RoleThatIsNone,
        DeleteRoleThatIsNone,
    }
    use Call::{
        Administrators, AdministratorsFromAForeignToken, CreateRole, DeleteRole, DeleteRoleThatIsNone, Deregister,
        DescribeAccount, DescribeOrganization, Disable, Enable, Register, Role, RoleThatIsNone, Services,
        ServicesFromAForeignToken, WhoAmI,
    };

    /// Call of a scenario. `moto_strays` holds moto's response and the AWS document if moto differs
    /// from the in-memory organization.
    struct Step {
        by: AccountRole,
        call: Call,
        moto_strays: Option<(&'static str, &'static str)>,
    }

    fn by(by: AccountRole, call: Call) -> Step {
        Step { by, call, moto_strays: None }
    }

    fn on(call: Call) -> Step {
        by(Management, call)
    }

    impl Step {
        fn but_moto_says(mut self, answer: &'static str, document: &'static str) -> Self {
            self.moto_strays = Some((answer, document));
            self
        }
    }

    /// One side of the comparison: its accounts and clients.
    struct ComparedClients<'a> {
        accounts: [(AccountRole, AccountId); 5],
        clients: [(AccountRole, &'a dyn Client); 3],
        role: RoleName,
    }

    impl ComparedClients<'_> {
        fn id(&self, who: AccountRole) -> AccountId {
            self.accounts.iter().find(|(account, _)| *account == who).unwrap().1
        }

        fn who(&self, id: AccountId) -> AccountRole {
            self.accounts.iter().find(|(_, account)| *account == id).unwrap().0
        }

        /// Returns the value to compare: the result of the call, AWS's error code, or the content
        /// of a listing.
        async fn answer(&mut self, step: &Step) -> String {
            match self.call(step).await {
                Ok(answer) => answer,
                Err(error) => error.code().map_or_else(|| format!("{error:#}"), ToOwned::to_owned),
            }
        }

        async fn call(&mut self, step: &Step) -> Result<String, Error> {
            let client = self.clients.iter().find(|(who, _)| *who == step.by).unwrap().1;
            let foreign = || PageToken::new("not-a-token-of-yours").ok();
            let mut answer = "done".to_owned();
            match step.call {
                WhoAmI => answer = format!("{:?}", self.who(client.get_caller_identity().await?.account)),
                DescribeOrganization => {
                    let organization = client.describe_organization().await?;
                    answer = format!("{:?} {:?}", self.who(organization.management_account), organization.feature_set);
                }
                DescribeAccount(who) => {
                    let account = client.describe_account(self.id(who)).await?;
                    answer = format!("{:?} {:?}", self.who(account.id), account.state);
                }
                Enable(principal) => client.enable_aws_service_access(&service(principal)).await?,
                Disable(principal) => client.disable_aws_service_access(&service(principal)).await?,
                Services | ServicesFromAForeignToken => {
                    let token = if matches!(step.call, Services) { None } else { foreign() };
                    let page = client.list_aws_service_access_for_organization(token).await?;
                    assert!(page.next.is_none());
                    assert!(page.items.iter().all(|service| service.enabled_at.is_some()));
                    let mut principals: Vec<_> = page.items.iter().map(|service| service.principal.as_str()).collect();
                    principals.sort_unstable();
                    answer = format!("{principals:?}");
                }
                Register(who, principal) => {
                    client.register_delegated_administrator(self.id(who), &service(principal)).await?;
                }
                Deregister(who, principal) => {
                    client.deregister_delegated_administrator(self.id(who), &service(principal)).await?;
                }
                Administrators(_) | AdministratorsFromAForeignToken => {
                    let (principal, token) = match step.call {
                        Administrators(principal) => (principal, None),
                        _ => (SSM, foreign()),
                    };
                    let page = client.list_delegated_administrators(&service(principal), token).await?;
                    assert!(page.next.is_none());
                    assert!(page.items.iter().all(|administrator| administrator.delegated_at.is_some()));
                    let mut accounts: Vec<_> = page
                        .items
                        .into_iter()
                        .map(|administrator| format!("{:?} {:?}", self.who(administrator.account), administrator.state))
                        .collect();
                    accounts.sort_unstable();
                    answer = format!("{accounts:?}");
                }
                CreateRole(principal) => {
                    let role = client.create_service_linked_role(&service(principal)).await?;
                    answer = format!("{} in {}", role.name, role.path);
                    self.role = role.name;
                }
                Role => {
                    let role = client.get_role(&self.role).await?;
                    answer = role.map_or_else(|| "none".to_owned(), |role| format!("it, in {}", role.path));
                }
                DeleteRole => {
                    let task = client.delete_service_linked_role(&self.role).await?;
                    let end = loop {
                        match client.get_service_linked_role_deletion_status(&task).await? {
                            DeletionStatus::NotStarted | DeletionStatus::InProgress => {
                                tokio::time::sleep(Duration::from_millis(10)).await;
                            }
                            end => break end,
                        }
                    };
                    answer = format!("{end:?}");
                }
                RoleThatIsNone => {
                    answer = format!("{:?}", client.get_role(&"there-is-none".parse()?).await?);
                }
                DeleteRoleThatIsNone => {
                    client.delete_service_linked_role(&"there-is-none".parse()?).await?;
                }
            }
            Ok(answer)
        }
    }

    /// Sequence of calls in an organization with three members, one of them suspended.
    struct Scenario {
        name: &'static str,
        feature_set: FeatureSet,
        undocumented: UndocumentedBehavior,
        steps: Vec<Step>,
    }

    impl Scenario {
        fn new(name: &'static str, steps: Vec<Step>) -> Self {
            Self { name, feature_set: FeatureSet::All, undocumented: UndocumentedBehavior::default(), steps }
        }

        fn with_billing_only(mut self) -> Self {
            self.feature_set = FeatureSet::ConsolidatedBilling;
            self
        }

        /// Sets undocumented behavior of the in-memory organization to moto's behavior.
        fn switched(mut self, switch: impl FnOnce(&mut UndocumentedBehavior)) -> Self {
            switch(&mut self.undocumented);
            self
        }
    }

    fn scenarios() -> Vec<Scenario> {
        [reads(), round_trips(), refusals(), callers(), roles()].into_iter().flatten().collect()
    }

    fn reads() -> Vec<Scenario> {
        let looking = vec![
            on(WhoAmI),
            by(Member, WhoAmI),
            by(Stranger, WhoAmI),
            on(DescribeOrganization),
            by(Member, DescribeOrganization),
            by(Stranger, DescribeOrganization),
            on(DescribeAccount(Management)),
            on(DescribeAccount(Member)),
            on(DescribeAccount(Suspended)),
            on(DescribeAccount(Stranger)),
            on(Services),
            on(Administrators(SSM)),
            // moto supports delegated administrators of only six services.
            on(Administrators(CONFIG)).but_moto_says("InvalidInputException", LIST_ADMINISTRATORS),
            on(ServicesFromAForeignToken).but_moto_says("[]", LIST_SERVICES),
            on(AdministratorsFromAForeignToken).but_moto_says("[]", LIST_ADMINISTRATORS),
        ];
        let billing = vec![
            on(DescribeOrganization),
            on(DescribeAccount(Member)),
            on(Enable(SSM)).but_moto_says("done", ALL_FEATURES),
            on(Register(Member, SSM)).but_moto_says("done", ALL_FEATURES),
        ];
        vec![Scenario::new("looking", looking), Scenario::new("billing only", billing).with_billing_only()]
    }

    fn round_trips() -> Vec<Scenario> {
        let there_and_back = vec![
            on(Enable(SSM)),
            on(Services),
            on(Register(Member, SSM)),
            on(Administrators(SSM)),
            on(Deregister(Member, SSM)),
            on(Administrators(SSM)),
            on(Services),
            on(Disable(SSM)),
            on(Services),
        ];
        let twice = vec![
            on(Disable(SSM)),
            on(Enable(SSM)),
            on(Enable(SSM)),
            on(Services),
            on(Deregister(Member, SSM)),
            on(Register(Member, SSM)),
            on(Register(Member, SSM)),
            on(Administrators(SSM)),
            on(Deregister(Member, SSM)),
            on(Deregister(Member, SSM)),
            on(Disable(SSM)),
            on(Disable(SSM)),
            on(Services),
        ];
        let other_services = vec![
            on(Enable(CONFIG)),
            on(Enable(GUARDDUTY)),
            on(Enable(SSM)),
            on(Services),
            on(Register(Member, GUARDDUTY)),
            on(Register(Other, SSM)),
            on(Administrators(GUARDDUTY)),
            on(Administrators(SSM)),
            on(Deregister(Member, SSM)).but_moto_says("InvalidInputException", DEREGISTER),
            on(Deregister(Other, SSM)),
            on(Administrators(GUARDDUTY)),
            on(Administrators(SSM)),
            on(Disable(SSM)),
            on(Services),
            on(Enable("not-a-service.example.com")),
            on(Disable("not-a-service.example.com")),
            on(Register(Other, "not-a-service.example.com")),
            on(Services),
        ];
        vec![
            Scenario::new("there and back", there_and_back),
            Scenario::new("each step twice", twice),
            Scenario::new("other services", other_services),
        ]
    }

    fn refusals() -> Vec<Scenario> {
        let who = vec![
            on(Enable(SSM)),
            on(Register(Management, SSM)),
            on(Deregister(Management, SSM)).but_moto_says("ConstraintViolationException", DEREGISTER),
            on(Register(Stranger, SSM)),
            on(Deregister(Stranger, SSM)),
            on(Register(Suspended, SSM)).but_moto_says("done", REGISTER),
            on(Administrators(SSM)).but_moto_says("[\"Suspended Some(Suspended)\"]", REGISTER),
            on(Deregister(Suspended, SSM)).but_moto_says("done", DEREGISTER),
        ];
        let second = vec![
            on(Enable(SSM)),
            on(Register(Member, SSM)),
            on(Register(Other, SSM)).but_moto_says("done", ONE_ADMINISTRATOR),
            on(Administrators(SSM))
                .but_moto_says("[\"Member Some(Active)\", \"Other Some(Active)\"]", ONE_ADMINISTRATOR),
            on(Deregister(Other, SSM)).but_moto_says("done", ONE_ADMINISTRATOR),
            on(Administrators(SSM)),
        ];
        let too_early = vec![
            on(Register(Member, SSM)).but_moto_says("done", REGISTER),
            on(Administrators(SSM)).but_moto_says("[\"Member Some(Active)\"]", REGISTER),
            on(Services),
            on(Deregister(Member, SSM)).but_moto_says("done", DEREGISTER),
        ];
        // AWS does not document whether the call is refused while an administrator is registered,
        // or whether the administrator remains.
        let administered = vec![
            on(Enable(SSM)),
            on(Register(Member, SSM)),
            on(Disable(SSM)),
            on(Services),
            on(Administrators(SSM)),
            on(Deregister(Member, SSM)),
            on(Administrators(SSM)),
        ];
        vec![
            Scenario::new("who cannot administer", who),
            Scenario::new("a second administrator", second),
            Scenario::new("registering too early", too_early),
            Scenario::new("disabling too early", administered)
                .switched(|switches| switches.disable_with_administrators = DisableWithAdministrators::Orphans),
        ]
    }

    /// Returns the scenarios of other callers. On moto each account except the management account
    /// has its own empty organization with full permissions.
    fn callers() -> Vec<Scenario> {
        let member = vec![
            by(Member, Services).but_moto_says("[]", LIST_SERVICES),
            by(Member, Administrators(SSM)).but_moto_says("[]", LIST_ADMINISTRATORS),
            by(Member, DescribeAccount(Other)).but_moto_says("AccountNotFoundException", DESCRIBE_ACCOUNT),
            by(Member, Enable(SSM)).but_moto_says("done", ENABLE),
            on(Services),
            on(Enable(SSM)),
            by(Member, Disable(SSM)).but_moto_says("done", DISABLE),
            by(Member, Register(Other, SSM)).but_moto_says("AccountNotFoundException", REGISTER),
            on(Register(Other, SSM)),
            by(Member, Deregister(Other, SSM)).but_moto_says("AccountNotFoundException", DEREGISTER),
            on(Services),
            on(Administrators(SSM)),
        ];
        let administrator = vec![
            on(Enable(SSM)),
            on(Register(Member, SSM)),
            by(Member, Services).but_moto_says("[]", LIST_SERVICES),
            by(Member, Administrators(SSM)).but_moto_says("[]", LIST_ADMINISTRATORS),
            by(Member, DescribeAccount(Other)).but_moto_says("AccountNotFoundException", DESCRIBE_ACCOUNT),
            by(Member, Disable(SSM)).but_moto_says("done", DISABLE),
            by(Member, Deregister(Member, SSM)).but_moto_says("ConstraintViolationException", DEREGISTER),
            on(Services),
            on(Administrators(SSM)),
        ];
        let stranger = vec![
            by(Stranger, Services).but_moto_says("[]", LIST_SERVICES),
            by(Stranger, Administrators(SSM)).but_moto_says("[]", LIST_ADMINISTRATORS),
            by(Stranger, DescribeAccount(Member)).but_moto_says("AccountNotFoundException", DESCRIBE_ACCOUNT),
            by(Stranger, Enable(SSM)).but_moto_says("done", ENABLE),
            by(Stranger, Register(Member, SSM)).but_moto_says("AccountNotFoundException", REGISTER),
            on(Services),
            on(Administrators(SSM)),
        ];
        vec![
            Scenario::new("a member writes", member),
            Scenario::new("the administrator reads and writes", administrator),
            Scenario::new("a stranger", stranger),
        ]
    }

    fn roles() -> Vec<Scenario> {
        let discovery =
            "AWSServiceRoleForssm_Accountdiscovery in /aws-service-role/accountdiscovery.ssm.amazonaws.com/";
        let nobodys = "AWSServiceRoleFornot-a-service in /aws-service-role/not-a-service.example.com/";
        let steps = vec![
            on(RoleThatIsNone),
            on(DeleteRoleThatIsNone),
            on(Role),
            on(CreateRole(DISCOVERY)).but_moto_says(discovery, DISCOVERY_ROLE),
            on(Role),
            on(CreateRole(DISCOVERY)),
            on(Role),
            on(DeleteRole),
            on(Role),
            on(CreateRole("not-a-service.example.com")).but_moto_says(nobodys, CREATE_ROLE),
        ];
        // AWS documents that the call fails, but not the error code.
        let entity_exists =
            |switches: &mut UndocumentedBehavior| switches.duplicate_role = DuplicateRole::EntityAlreadyExists;
        vec![Scenario::new("the role", steps).switched(entity_exists)]
    }

    #[tokio::test]
    #[ignore = "needs a moto_server: see .ci/run"]
    async fn sim_and_moto_return_equal_results() {
        for Scenario { name, feature_set, undocumented, steps } in scenarios() {
            let moto = Moto::start();
            let features = if feature_set == FeatureSet::All { "ALL" } else { "CONSOLIDATED_BILLING" };
            let made = moto.boto3(&["create", "--features", features, "--members", "3"]);
            let members = [0, 1, 2].map(|at| text(&made["members"][at]));
            let [member, other, suspended] = members.each_ref().map(String::as_str);
            moto.boto3(&["close", suspended]);
            let clients = [management(&moto), client_of(&moto, member), client_of(&moto, STRANGER)];
            let mut live = ComparedClients {
                accounts: accounts([MANAGEMENT, member, other, suspended, STRANGER]),
                clients: [(Management, &clients[0]), (Member, &clients[1]), (Stranger, &clients[2])],
                role: RoleName::ACCOUNT_DISCOVERY,
            };

            let ids = ["111111111111", "222222222222", "333333333333", "444444444444", STRANGER];
            let organization = sim::SimOrganization::builder()
                .management(id(ids[0]))
                .member(id(ids[1]))
                .member(id(ids[2]))
                .member_with_state(id(ids[3]), AccountState::Suspended)
                .feature_set(feature_set)
                .undocumented_behavior(undocumented)
                .role_deletion(Duration::ZERO)
                .build();
            let clients = [ids[0], ids[1], STRANGER].map(|account| organization.client(id(account)));
            let mut embedded = ComparedClients {
                accounts: accounts(ids),
                clients: [(Management, &clients[0]), (Member, &clients[1]), (Stranger, &clients[2])],
                role: RoleName::ACCOUNT_DISCOVERY,
            };

            for (at, step) in steps.iter().enumerate() {
                let (ours, motos) = (embedded.answer(step).await, live.answer(step).await);
                let what = format!("{name}, step {at}, {:?} by {:?}", step.call, step.by);
                match step.moto_strays {
                    None => assert_eq!(ours, motos, "{what}: in memory, and on moto"),
                    Some((known, document)) => {
                        assert_eq!(motos, known, "{what}: moto strays in another way than it did");
                        assert_ne!(ours, motos, "{what}: moto was said to stray from {document}");
                    }
                }
            }
        }
    }

    fn accounts(ids: [&str; 5]) -> [(AccountRole, AccountId); 5] {
        let [management, member, other, suspended, stranger] = ids.map(id);
        [(Management, management), (Member, member), (Other, other), (Suspended, suspended), (Stranger, stranger)]
    }
}
