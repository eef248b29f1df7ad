//! Tests of partitions: detection by ARN and Region, and endpoints of the global services.

use ssm_organizations::Region;
use ssm_organizations::domain::Partition;

/// Regions of AWS's published `partitions.json`, and plausible future Regions.
const REGIONS: [(&str, &[&str]); 8] = [
    (
        "aws",
        &[
            "us-east-1",
            "eu-central-2",
            "ap-southeast-7",
            "sa-west-1",
            "ca-west-1",
            "me-south-1",
            "af-south-1",
            "il-central-1",
            "mx-central-1",
            "eu-west-10",
        ],
    ),
    ("aws-cn", &["cn-north-1", "cn-northwest-1"]),
    ("aws-us-gov", &["us-gov-east-1", "us-gov-west-1"]),
    ("aws-eusc", &["eusc-de-east-1"]),
    ("aws-iso", &["us-iso-east-1", "us-iso-west-1"]),
    ("aws-iso-b", &["us-isob-east-1", "us-isob-west-1"]),
    ("aws-iso-e", &["eu-isoe-west-1"]),
    ("aws-iso-f", &["us-isof-east-1", "us-isof-south-1"]),
];

#[test]
fn of_region_of_known_region_returns_its_partition() {
    for (partition, regions) in REGIONS {
        for region in regions {
            let told = Partition::of_region(&Region::new(*region).unwrap());
            assert_eq!(told.as_ref().map(Partition::as_str), Some(partition), "{region}");
        }
    }
}

#[test]
fn of_region_of_unknown_region_returns_none() {
    for region in ["moon-east-1", "us-isox-east-1", "eux-east-1"] {
        assert_eq!(Partition::of_region(&Region::new(region).unwrap()), None, "{region}");
    }
}

#[test]
fn known_partitions_return_global_endpoints() {
    assert_eq!(Partition::KNOWN.len(), REGIONS.len());
    for partition in Partition::KNOWN {
        assert!(REGIONS.iter().any(|(name, _)| *name == partition.as_str()), "{partition}");
        for endpoint in [partition.organizations_endpoint(), partition.iam_endpoint()].map(Option::unwrap) {
            assert_eq!(Partition::of_region(&endpoint.region).as_ref(), Some(partition), "{endpoint}");
            assert!(!endpoint.host.contains('/'), "{endpoint}");
        }
        let organizations = partition.organizations_endpoint().unwrap();
        assert!(organizations.host.starts_with(&format!("organizations.{}.", organizations.region)), "{organizations}");
    }
    let china = Partition::AWS_CN;
    assert_eq!(china.organizations_endpoint().unwrap().region.as_str(), "cn-northwest-1");
    assert_eq!(china.iam_endpoint().unwrap().to_string(), "iam.cn-north-1.amazonaws.com.cn (signed for cn-north-1)");
}

#[test]
fn of_arn_of_unknown_partition_has_no_endpoints() {
    let moon = Partition::of_arn("arn:aws-moon:organizations::111111111111:organization/o-exampleorgid").unwrap();
    assert_eq!(moon.as_str(), "aws-moon");
    assert_eq!(moon.organizations_endpoint(), None);
    assert_eq!(moon.iam_endpoint(), None);
}
