//! Text at the end of each command's help.

pub(super) const PROGRAM: &str = "\
Settings without an option come from the AWS environment: AWS_REGION, AWS_PROFILE,
AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, ~/.aws/config and so on. AWS_MAX_ATTEMPTS is the number of
attempts for a call that AWS throttles; the default is three. Terminal output is colored unless
NO_COLOR is set.

With --json the standard output is always one JSON object. After a failure the object has an
`error` with `kind`, `details`, `message`, `confidence`, `operation`, `account`, `service`, `region`,
`caller`, `code`, `reason`, `request_id`, `observed_status`, `write_status`, `retryable`,
`retry_status`, `causes`, `remedies`, `changes` and `help`, as far as known. Further errors are in
`further_errors`. `retry_status` is `permanent`, `temporary` (a retry may succeed later) or
`exhausted` (a retry may succeed later, but several attempts failed). Other members:
  plan                     the plan, in the format of --out
  apply, undo, onboard,    `plan`, `receipt` (changes, confirmed and unconfirmed), `remaining`
  replace, offboard        (steps not done), `now` (current state), `next_steps` and `notes`
  status                   `state`, `snapshot`, `capabilities` and `warnings`
  policy                   `documents`
  serve                    `endpoint`, `port`, `region`, `management`, `access_key_ids` by account
                           and `secret_access_key`, when the server starts

Exit status:
  0  the organization is in the target state, or the requested information was shown
  1  the target state was not reached or is unknown; the standard error or `error` gives the reason
  2  bad usage; no call was made
With `plan --detailed-exitcode`: 0 no steps, 2 steps, 1 an error, including bad usage.

Examples:
  ssm-org status
  ssm-org plan --trusted-access on --admin 222222222222 --out plan.json
  ssm-org apply plan.json --receipt receipt.json
  ssm-org undo receipt.json
  ssm-org onboard --admin 222222222222 --simulate organization.json";

pub(super) const STATUS: &str = "\
Examples:
  ssm-org status --profile management --admin-profile administrator
  ssm-org status --companions --region eu-central-1,us-east-1";

pub(super) const PLAN: &str = "\
Exit status with --detailed-exitcode: 0 no steps, 2 steps, 1 an error.
The standard error shows the digest of the plan, for `apply FILE --digest DIGEST`.

A target file in TOML or JSON sets what the options set, and more. Every part is optional:
  trusted_access = \"on\"              # or \"off\"
  administrator = \"222222222222\"     # or \"none\"
  role = \"create\"                    # or \"delete\", or \"keep\"
  unlisted_syncs = \"protect\"         # or \"allow_loss\": LOSES DATA of syncs that are not named
  search_regions = [\"us-east-1\"]     # Regions to list them in, in addition to the Regions below
  migrate_syncs = true               # syncs of a replaced administrator move to the new one

  [[syncs]]
  name = \"all-accounts\"
  owner = \"administrator\"            # or \"management\" (the default), or an account id
  regions = [\"eu-central-1\"]
  source_regions = [\"eu-central-1\"]  # default: regions
  units = [\"ou-exam-12345678\"]       # default: the whole organization
  # or single_account = true: only the account of the sync
  future_regions = true
  all_ops_data_sources = true        # enable every source of OpsData; AWS charges for some
  state = \"present\"                  # or \"absent\"

  [companions.\"ssm-quicksetup.amazonaws.com\"]
  trusted_access = \"on\"
  administrator = \"222222222222\"
  replace_administrator = true       # without it, another administrator makes planning fail

Examples:
  ssm-org plan --trusted-access on --admin 222222222222 --role
  ssm-org plan --target target.toml --out plan.json --detailed-exitcode
  ssm-org plan --no-admin --trusted-access off --admin-profile administrator --region eu-central-1";

/// Help on the Regions, for commands that can lose data syncs.
///
/// The lines of the command end where a shell continues reading.
macro_rules! every_region {
    () => {
        "\
The check for data syncs covers each --region and no others. All Regions of the account:
  --region \"$(aws ec2 describe-regions --query 'Regions[].RegionName' --output text |
    tr '\\t' ,)\""
    };
}

pub(super) const APPLY: &str = "\
Examples:
  ssm-org apply plan.json --receipt receipt.json
  ssm-org apply plan.json --digest DIGEST --yes
  ssm-org plan --no-admin --json | ssm-org apply - --yes
  ssm-org apply --target target.toml --yes --receipt receipt.json
  ssm-org apply --admin 333333333333 --admin-profile old --admin-profile new";

pub(super) const UNDO: &str = "\
Examples:
  ssm-org undo receipt.json
  ssm-org undo receipt.json --include-unconfirmed 2 --admin-profile administrator --yes";

pub(super) const POLICY_BRIEF: &str = "\
The target options of `plan`, which --help lists, print policies for applying that plan.";

pub(super) const POLICY: &str = "\
The standard output is one JSON document after another. The standard error says whom each is for.

Examples:
  ssm-org policy
  ssm-org policy --command status,onboard --organization o-exampleorgid --management 111111111111
  ssm-org policy --operation ListResourceDataSync,iam:GetRole
  ssm-org policy plan.json
  ssm-org policy --trusted-access on --admin 222222222222";

pub(super) const ONBOARD: &str = "\
Before --recreate-sync deletes a sync, the deletion is saved in the --receipt as an unconfirmed
change. The changes that were made replace it at the end.

Examples:
  ssm-org onboard --admin 222222222222 --profile management
  ssm-org onboard --admin 222222222222 --role --sync all-accounts --region eu-central-1
  ssm-org onboard --admin 222222222222 --role --region eu-central-1 \\
    --sync all-accounts --sync-owner administrator --admin-profile administrator
  ssm-org onboard --admin 222222222222 --role --region eu-central-1 \\
    --sync workloads --sync-ou ou-examplerootid-exampleouid --source-region eu-central-1,us-east-1";

pub(super) const REPLACE: &str = concat!(
    every_region!(),
    "

Before the old administrator is deregistered, the deregistration and the affected data syncs are
saved in the --receipt as an unconfirmed change, and the standard error shows the command that
creates each sync again. The changes that were made replace the entry at the end.

Examples:
  ssm-org replace --admin 333333333333 --admin-profile old --new-admin-profile new
  ssm-org replace --admin 333333333333 --allow-sync-loss --yes"
);

pub(super) const OFFBOARD: &str = concat!(
    every_region!(),
    "

Examples:
  ssm-org offboard --admin-profile administrator --region eu-central-1,us-east-1
  ssm-org offboard --admin-profile administrator --delete-sync all-accounts --delete-role
  ssm-org offboard --profile management --allow-sync-loss --yes"
);

pub(super) const SERVE: &str = "\
CALL is an operation and the number of its call, counted from now, such as GetRole:2; without a
number the next call, and with `*` a call of any operation. FAULT is one of:
  AccessDeniedException, A:REASON    AWS refuses the call, with a reason if there is one
  throttled                          AWS throttles the call
  request-lost, response-lost        the connection breaks before or after the effect
  request-failed:RESPONSE            an unusable response without an effect, and with
  response-replaced:RESPONSE         an effect: empty-500, error-503, html-502 or truncated
  delay:3s                           the response is late

While the server runs, POST to /simulation/faults adds faults, one on each line, and DELETE removes
them. GET of /simulation/calls returns the calls so far as JSON: `calls` of the operations of this
program, and `further_calls` of others, such as ListAccounts. DELETE forgets them.

Examples:
  ssm-org serve --simulate organization.json --port 5000
  curl 127.0.0.1:5000/simulation/faults --data 'RegisterDelegatedAdministrator=response-lost'";
