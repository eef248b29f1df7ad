//! AWS's partitions: the partition of an ARN or a Region, and the endpoints of global services.

use std::borrow::Cow;
use std::fmt;

use super::InvalidValue;
use super::identifiers::{Partition, Region};
use super::redact::redact;

/// Endpoint of a global service in a partition, with the Region for which calls are signed.
///
/// The AWS SDK and the `aws` program determine the endpoint from any Region of the partition. This
/// type serves firewall rules and people who read logs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct GlobalEndpoint {
    /// The host name of the endpoint.
    pub host: &'static str,
    /// The Region for which calls are signed.
    pub region: Region,
}

impl fmt::Display for GlobalEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (signed for {})", self.host, self.region)
    }
}

/// Endpoint data that AWS publishes for a partition.
struct Published {
    partition: Partition,
    /// Prefixes of Region names. A hyphen, a word, a hyphen and a number follow the prefix.
    regions: &'static [&'static str],
    /// Host and signing Region of Organizations.
    organizations: (&'static str, &'static str),
    /// Host and signing Region of IAM.
    iam: (&'static str, &'static str),
}

/// Data from `partitions.json` and the endpoint rule sets of Organizations and IAM, as botocore
/// publishes them.
static PUBLISHED: [Published; 8] = [
    Published {
        partition: Partition::AWS,
        regions: &["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"],
        organizations: ("organizations.us-east-1.amazonaws.com", "us-east-1"),
        iam: ("iam.amazonaws.com", "us-east-1"),
    },
    Published {
        partition: Partition::AWS_CN,
        regions: &["cn"],
        organizations: ("organizations.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"),
        iam: ("iam.cn-north-1.amazonaws.com.cn", "cn-north-1"),
    },
    Published {
        partition: Partition::AWS_US_GOV,
        regions: &["us-gov"],
        organizations: ("organizations.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        iam: ("iam.us-gov.amazonaws.com", "us-gov-west-1"),
    },
    Published {
        partition: Partition::AWS_EUSC,
        regions: &["eusc-de"],
        organizations: ("organizations.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
        iam: ("iam.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
    },
    Published {
        partition: Partition::AWS_ISO,
        regions: &["us-iso"],
        organizations: ("organizations.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"),
        iam: ("iam.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"),
    },
    Published {
        partition: Partition::AWS_ISO_B,
        regions: &["us-isob"],
        organizations: ("organizations.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"),
        iam: ("iam.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"),
    },
    Published {
        partition: Partition::AWS_ISO_E,
        regions: &["eu-isoe"],
        organizations: ("organizations.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1"),
        iam: ("iam.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1"),
    },
    Published {
        partition: Partition::AWS_ISO_F,
        regions: &["us-isof"],
        organizations: ("organizations.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1"),
        iam: ("iam.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1"),
    },
];

impl Partition {
    /// The commercial partition.
    pub const AWS: Self = Self(Cow::Borrowed("aws"));
    /// China.
    pub const AWS_CN: Self = Self(Cow::Borrowed("aws-cn"));
    /// AWS GovCloud (US).
    pub const AWS_US_GOV: Self = Self(Cow::Borrowed("aws-us-gov"));
    /// The European Sovereign Cloud.
    pub const AWS_EUSC: Self = Self(Cow::Borrowed("aws-eusc"));
    /// An isolated partition of the United States.
    pub const AWS_ISO: Self = Self(Cow::Borrowed("aws-iso"));
    /// Another isolated partition of the United States.
    pub const AWS_ISO_B: Self = Self(Cow::Borrowed("aws-iso-b"));
    /// An isolated partition of Europe.
    pub const AWS_ISO_E: Self = Self(Cow::Borrowed("aws-iso-e"));
    /// A third isolated partition of the United States.
    pub const AWS_ISO_F: Self = Self(Cow::Borrowed("aws-iso-f"));

    /// The partitions that this release knows. Other partitions are valid too.
    pub const KNOWN: &'static [Self] = &[
        Self::AWS,
        Self::AWS_CN,
        Self::AWS_US_GOV,
        Self::AWS_EUSC,
        Self::AWS_ISO,
        Self::AWS_ISO_B,
        Self::AWS_ISO_E,
        Self::AWS_ISO_F,
    ];

    /// Returns the partition of an ARN.
    ///
    /// # Errors
    ///
    /// Returns [`InvalidValue`] when the text does not begin with `arn:` and a partition.
    pub fn of_arn(arn: &str) -> Result<Self, InvalidValue> {
        arn.strip_prefix("arn:")
            .and_then(|rest| rest.split_once(':'))
            .and_then(|(partition, _)| Self::new(partition).ok())
            .ok_or_else(|| InvalidValue {
                what: "an ARN",
                expected: "\"arn:\" and a partition first",
                given: redact(arn).into_owned(),
            })
    }

    /// Returns the partition of a Region, derived from the name of the Region.
    ///
    /// Returns `None` for a name with a prefix that this release does not know.
    ///
    /// ```
    /// use ssm_organizations::Region;
    /// use ssm_organizations::domain::Partition;
    ///
    /// assert_eq!(Partition::of_region(&Region::new("eu-central-1")?), Some(Partition::AWS));
    /// assert_eq!(
    ///     Partition::of_region(&Region::new("us-gov-east-1")?),
    ///     Some(Partition::AWS_US_GOV)
    /// );
    /// assert_eq!(Partition::of_region(&Region::new("moon-east-1")?), None);
    /// # Ok::<(), ssm_organizations::domain::InvalidValue>(())
    /// ```
    #[must_use]
    pub fn of_region(region: &Region) -> Option<Self> {
        let (rest, number) = region.as_str().rsplit_once('-')?;
        let (prefix, place) = rest.rsplit_once('-')?;
        let named = !place.is_empty() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let of_it = |published: &&Published| named && published.regions.contains(&prefix);
        PUBLISHED.iter().find(of_it).map(|published| published.partition.clone())
    }

    /// Returns the endpoint of Organizations; `None` in a partition that this release does not
    /// know.
    #[must_use]
    pub fn organizations_endpoint(&self) -> Option<GlobalEndpoint> {
        self.published().map(|published| endpoint(published.organizations))
    }

    /// Returns the endpoint of IAM; `None` in a partition that this release does not know.
    #[must_use]
    pub fn iam_endpoint(&self) -> Option<GlobalEndpoint> {
        self.published().map(|published| endpoint(published.iam))
    }

    fn published(&self) -> Option<&'static Published> {
        PUBLISHED.iter().find(|published| published.partition == *self)
    }
}

fn endpoint((host, region): (&'static str, &'static str)) -> GlobalEndpoint {
    GlobalEndpoint { host, region: Region(Cow::Borrowed(region)) }
}

impl Default for Partition {
    fn default() -> Self {
        Self::AWS
    }
}
