//! Runs every `aws` command line that the library writes in a shell and compares its request with
//! the request of the library's own call.

#[cfg(test)]
#[path = "moto/client.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod client;

#[cfg(test)]
#[path = "moto/server.rs"]
#[allow(dead_code, reason = "each test file uses its own part")]
mod server;

#[cfg(test)]
mod tests {
    use std::env;
    use std::process::Command;

    use serde_json::Value;
    use ssm_organizations::domain::RoleName;
    use ssm_organizations::guidance::AwsCommand;
    use ssm_organizations::ports::{
        IamApi, OrganizationalUnits, OrganizationsApi, SourceRegions, SyncDefinition, SyncSource, SyncType,
        SystemsManagerApi,
    };
    use ssm_organizations::{AccountId, Error, Region, ServicePrincipal, SyncName};

    use super::client::management;
    use super::server::{ENVIRONMENT, Moto};

    /// Returns the request that the command line sends. The server's response does not matter.
    fn typed(moto: &Moto, line: &AwsCommand) -> (String, Value) {
        moto.calls();
        let program = env::var("AWS_CLI").unwrap_or_else(|_| "aws".to_owned());
        let script = format!("aws() {{ \"$AWS_CLI\" \"$@\"; }}\n{line}");
        let mut shell = Command::new("sh");
        // The user's own AWS settings must not apply.
        for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
            shell.env_remove(name);
        }
        let ran = shell
            .args(["-c", &script])
            .envs(ENVIRONMENT)
            .envs([("AWS_CLI", program.as_str()), ("AWS_MAX_ATTEMPTS", "1"), ("AWS_CONFIG_FILE", "/dev/null")])
            .env("AWS_ENDPOINT_URL", moto.endpoint())
            .output()
            .expect("a shell");
        let calls = moto.calls();
        assert_eq!(calls.len(), 1, "{line}: {}; AWS_CLI names the program", String::from_utf8_lossy(&ran.stderr));
        moto.last_request()
    }

    /// Returns the request that the library's call sends. The result of the call does not matter.
    fn called<T>(moto: &Moto, answer: Result<T, Error>) -> (String, Value) {
        drop(answer);
        moto.last_request()
    }

    #[tokio::test]
    #[ignore = "needs a moto_server and the aws program: see .ci/run"]
    async fn aws_commands_for_trust_and_role_send_equal_requests() {
        let moto = Moto::start();
        let client = management(&moto);
        let ssm = &ServicePrincipal::SYSTEMS_MANAGER;
        let account: AccountId = moto.organization(1).members[0].parse().unwrap();
        let (discovery, role) = (&ServicePrincipal::ACCOUNT_DISCOVERY, &RoleName::ACCOUNT_DISCOVERY);

        let own = called(&moto, client.enable_aws_service_access(ssm).await);
        assert_eq!(typed(&moto, &AwsCommand::enable_aws_service_access(ssm)), own);
        let own = called(&moto, client.register_delegated_administrator(account, ssm).await);
        assert_eq!(typed(&moto, &AwsCommand::register_delegated_administrator(account, ssm)), own);
        let own = called(&moto, client.deregister_delegated_administrator(account, ssm).await);
        assert_eq!(typed(&moto, &AwsCommand::deregister_delegated_administrator(account, ssm)), own);
        let own = called(&moto, client.disable_aws_service_access(ssm).await);
        assert_eq!(typed(&moto, &AwsCommand::disable_aws_service_access(ssm)), own);
        let own = called(&moto, client.create_service_linked_role(discovery).await);
        assert_eq!(own.1["AWSServiceName"], discovery.as_str());
        assert_eq!(typed(&moto, &AwsCommand::create_service_linked_role(discovery)), own);
        let own = called(&moto, client.delete_service_linked_role(role).await);
        assert_eq!(typed(&moto, &AwsCommand::delete_service_linked_role(role)), own);
    }

    #[tokio::test]
    #[ignore = "needs a moto_server and the aws program: see .ci/run"]
    async fn aws_commands_for_syncs_of_any_name_send_equal_requests() {
        let moto = Moto::start();
        moto.show_syncs(&[]);
        let client = management(&moto);
        let home = &Region::new("eu-central-1").unwrap();
        let regions = SourceRegions::new([home.clone(), Region::new("us-east-1").unwrap()]).unwrap();
        let units = OrganizationalUnits::new(["ou-ab12-11111111".parse().unwrap()]).unwrap();
        let sources =
            [SyncSource::EntireOrganization, SyncSource::OrganizationalUnits(units), SyncSource::SingleAccount];
        let names = [
            "all-accounts",
            "-x",
            "--region",
            "file:///dev/null",
            "http://127.0.0.1:9/",
            "@file",
            "{\"a\":1}",
            "a,b=c",
            "'$(id)'",
            "two\nlines",
            "é😀",
            " ",
        ];
        for (name, source) in names.iter().zip(sources.iter().cycle()) {
            let sync = SyncDefinition::new(SyncName::new(*name).unwrap(), source.clone(), regions.clone());
            let sync = sync.including_future_regions();
            let own = called(&moto, client.create_resource_data_sync(home, &sync).await);
            assert_eq!(own.1["SyncName"], *name);
            assert_eq!(own.0, "test eu-central-1");
            assert_eq!(typed(&moto, &AwsCommand::create_resource_data_sync(&sync, home)), own);
            let own = called(&moto, client.update_resource_data_sync(home, &sync).await);
            assert_eq!(typed(&moto, &AwsCommand::update_resource_data_sync(&sync, home)), own);
            let own =
                called(&moto, client.delete_resource_data_sync(home, sync.name(), SyncType::SyncFromSource).await);
            assert_eq!(typed(&moto, &AwsCommand::delete_resource_data_sync(sync.name(), home)), own);
        }
    }
}
