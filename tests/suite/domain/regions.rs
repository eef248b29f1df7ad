//! Names of Regions.

use ssm_organizations::Region;

#[test]
fn region_new_with_the_name_of_a_region_succeeds() {
    let names = [
        "eu-central-1",
        "us-gov-west-1",
        "us-iso-east-1",
        "us-isob-east-1",
        "eusc-de-east-1",
        "ap-southeast-7",
        "mx-central-1",
        "cn-northwest-1",
        "eu-west-12",
    ];
    for name in names {
        assert_eq!(Region::new(name).unwrap().as_str(), name);
    }
}

#[test]
fn region_new_with_another_form_fails() {
    let names = [
        "eu-central1",
        "us-east-1a",
        "europe",
        "all",
        "",
        "-",
        "1",
        "eu-1",
        "eu--1",
        "-central-1",
        "eu-central-",
        "eu-central-123",
        "eu-central-1-",
        "eu-central-1 ",
        "eu_central_1",
        "EU-central-1",
        "eu-west-1,us-east-1",
        "eu-central-\u{661}",
    ];
    for name in names {
        let error = Region::new(name).expect_err(name);
        assert!(error.to_string().contains("such as eu-central-1"), "{error}");
    }
    let long = format!("{}-central-1", "e".repeat(64));
    assert!(Region::new(long).is_err());
}
