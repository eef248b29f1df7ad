# Does the job with the AWS CLI: job.sh ACCOUNT [onboard|offboard]...
set -eu
aws=${AWS_CLI:-aws}
ssm=ssm.amazonaws.com

look() {
  "$aws" organizations describe-organization --query Organization.Id
  "$aws" organizations list-aws-service-access-for-organization \
    --query "EnabledServicePrincipals[?ServicePrincipal=='$ssm']"
  "$aws" organizations list-delegated-administrators --service-principal "$ssm" --query 'DelegatedAdministrators[].Id'
}

account=$1
shift
for step; do
  look
  if [ "$step" = onboard ]; then
    "$aws" organizations enable-aws-service-access --service-principal "$ssm"
    "$aws" organizations register-delegated-administrator --account-id "$account" --service-principal "$ssm"
  else
    "$aws" organizations deregister-delegated-administrator --account-id "$account" --service-principal "$ssm"
    "$aws" organizations disable-aws-service-access --service-principal "$ssm"
  fi
  look
done
