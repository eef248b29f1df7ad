//! What stands at the end of each command's help.

pub(super) const PROGRAM: &str = "\
What the options leave open comes from the usual AWS environment: AWS_REGION, AWS_PROFILE,
AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, ~/.aws/config and the rest. Where AWS wants fewer calls,
AWS_MAX_ATTEMPTS says how often each is tried, three times if left out. Colours are for terminals,
and NO_COLOR switches them off.

With --json the standard output is one JSON object, whatever happens. Where something went wrong
it has an `error`, an object with `kind`, `message`, `operation`, `account`, `region`, `caller`,
`code`, `reason`, `request_id`, `applied`, `retryable`, `retry`, `causes`, `remedies` and `help`, as
far as they are known, and where there are more errors those in `further_errors`. `retry` is
`permanent`, `temporary` (the same may succeed later) or `spent` (it may, and was tried several
times already). Besides:
  plan                     the plan; it can be kept and applied like one of --out
  apply, undo, onboard,    `plan`, `receipt` (what was changed), `remaining` (the steps that were
  offboard                 not done), `now`, `next_steps` and `notes`
  replace                  the same without `remaining`
  status                   `state`, `snapshot`, `capabilities` and `warnings`
  policy                   `documents`

Exit status:
  0  the organization is in the wanted state, or what was asked for was shown
  1  it is not, or that is not known; the standard error or the `error` says why
  2  bad usage; no call was made
With `plan --detailed-exitcode`: 0 nothing is to do, 2 something is, 1 an error, bad usage too.

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
Exit status with --detailed-exitcode: 0 nothing is to do, 2 something is, 1 an error.

A target file says the same as the options, and more, in TOML or JSON; each part may be left out:
  trusted_access = \"on\"              # or \"off\"
  administrator = \"222222222222\"     # or \"none\"
  role = \"create\"                    # or \"delete\", or \"keep\"
  other_syncs = \"protect\"            # or \"forfeit\": what becomes of data syncs that are not named
  look_in = [\"us-east-1\"]            # where they are looked for, beside the Regions below

  [[syncs]]
  name = \"all-accounts\"
  owner = \"administrator\"            # or \"management\", which it is if left out, or an account
  regions = [\"eu-central-1\"]
  source_regions = [\"eu-central-1\"]  # the same as regions if left out
  units = [\"ou-exam-12345678\"]       # the whole organization if left out
  future_regions = true
  state = \"present\"                  # or \"absent\"

  [companions.\"ssm-quicksetup.amazonaws.com\"]
  trusted_access = \"on\"
  administrator = \"222222222222\"

Examples:
  ssm-org plan --trusted-access on --admin 222222222222 --role create
  ssm-org plan --target target.toml --out plan.json --detailed-exitcode
  ssm-org plan --no-admin --trusted-access off --admin-profile administrator --region eu-central-1";

/// What is said to whoever endangers data syncs. Lines end where a shell reads on.
macro_rules! every_region {
    () => {
        "\
Data syncs are looked for in each --region and nowhere else. Every Region of the account:
  --region \"$(aws ec2 describe-regions --query 'Regions[].RegionName' --output text |
    tr '\\t' ,)\""
    };
}

pub(super) const APPLY: &str = "\
Examples:
  ssm-org apply plan.json --receipt receipt.json
  ssm-org apply --target target.toml --yes --receipt receipt.json
  ssm-org apply --admin 333333333333 --admin-profile old --admin-profile new";

pub(super) const UNDO: &str = "\
Examples:
  ssm-org undo receipt.json
  ssm-org undo receipt.json --maybe 2 --admin-profile administrator --region eu-central-1 --yes";

pub(super) const POLICY: &str = "\
Examples:
  ssm-org policy
  ssm-org policy --command status,onboard --organization o-exampleorgid --management 111111111111
  ssm-org policy --operation ListResourceDataSync,iam:GetRole
  ssm-org policy plan.json
  ssm-org policy --trusted-access on --admin 222222222222";

pub(super) const ONBOARD: &str = "\
Before --recreate-sync deletes a sync, the --receipt has it, as a change that perhaps was made; what
was done is written at the end.

Examples:
  ssm-org onboard --admin 222222222222 --profile management
  ssm-org onboard --admin 222222222222 --role --sync all-accounts --region eu-central-1
  ssm-org onboard --admin 222222222222 --role --admin-profile administrator --region eu-central-1 \\
    --sync workloads --sync-ou ou-examplerootid-exampleouid --source-region eu-central-1,us-east-1";

pub(super) const REPLACE: &str = concat!(
    every_region!(),
    "

Before the delegation is taken, the --receipt has it and the data syncs that go with it, as a change
that perhaps was made, and the standard error says how to make each again. What was done is written
at the end.

Examples:
  ssm-org replace --admin 333333333333 --admin-profile old --new-admin-profile new
  ssm-org replace --admin 333333333333 --forfeit-syncs --yes"
);

pub(super) const OFFBOARD: &str = concat!(
    every_region!(),
    "

Examples:
  ssm-org offboard --admin-profile administrator --region eu-central-1,us-east-1
  ssm-org offboard --admin-profile administrator --delete-sync all-accounts --delete-role
  ssm-org offboard --profile management --forfeit-syncs --yes"
);
