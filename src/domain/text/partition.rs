//! AWS's partitions: how their ARNs and Regions are told apart, and where their global services answer.

use std::borrow::Cow;
use std::fmt;

use super::{Partition, Region};
use crate::domain::InvalidIdentifier;
use crate::redact::redact;

/// Where a global service of a partition answers, and the Region that its calls are signed for.
///
/// The AWS SDK and the `aws` program find it by themselves, from any Region of the partition. It is told here for firewalls, and for people
/// who read logs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct GlobalEndpoint {
    /// The host.
    pub host: &'static str,
    /// The Region that calls are signed for.
    pub region: Region,
}

impl fmt::Display for GlobalEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (signed for {})", self.host, self.region)
    }
}

/// What AWS's published endpoint data says of a partition.
struct Published {
    partition: Partition,
    /// What its Regions begin with, before a hyphen, a word, a hyphen and a number.
    regions: &'static [&'static str],
    /// Hosts and the Regions that they sign for.
    organizations: (&'static str, &'static str),
    iam: (&'static str, &'static str),
}

/// From `partitions.json` and the endpoint rule sets of Organizations and IAM, as botocore publishes them.
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

    /// The partitions that this release knows. Others are valid too.
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

    /// The partition of an ARN.
    ///
    /// # Errors
    ///
    /// [`InvalidIdentifier`] when the text has no `arn:` and partition at its beginning.
    pub fn of_arn(arn: &str) -> Result<Self, InvalidIdentifier> {
        arn.strip_prefix("arn:")
            .and_then(|rest| rest.split_once(':'))
            .and_then(|(partition, _)| Self::new(partition).ok())
            .ok_or_else(|| InvalidIdentifier {
                what: "an ARN",
                expected: "\"arn:\" and a partition first",
                given: redact(arn).into_owned(),
            })
    }

    /// The partition of a Region, by its name; `None` for a Region whose name says nothing to this release.
    ///
    /// ```
    /// use ssm_organizations::{Partition, Region};
    ///
    /// assert_eq!(Partition::of_region(&Region::new("eu-central-1")?), Some(Partition::AWS));
    /// assert_eq!(Partition::of_region(&Region::new("us-gov-east-1")?), Some(Partition::AWS_US_GOV));
    /// assert_eq!(Partition::of_region(&Region::new("moon-east-1")?), None);
    /// # Ok::<(), ssm_organizations::InvalidIdentifier>(())
    /// ```
    #[must_use]
    pub fn of_region(region: &Region) -> Option<Self> {
        let (rest, number) = region.as_str().rsplit_once('-')?;
        let (prefix, place) = rest.rsplit_once('-')?;
        let named = !place.is_empty() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let of_it = |published: &&Published| named && published.regions.contains(&prefix);
        PUBLISHED.iter().find(of_it).map(|published| published.partition.clone())
    }

    /// Where Organizations answers; `None` in a partition that this release does not know.
    #[must_use]
    pub fn organizations_endpoint(&self) -> Option<GlobalEndpoint> {
        self.published().map(|published| endpoint(published.organizations))
    }

    /// Where IAM answers; `None` in a partition that this release does not know.
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
