//! Truncated or corrupted requests: each gets a well-formed response, and a refused request
//! changes nothing.

use crate::answered::{check, parsed};

/// Returns the requests of the fuzz corpus: seeds and findings.
fn corpus() -> Vec<Vec<u8>> {
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/requests")).unwrap();
    files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn fuzz_corpus_of_requests_passes_checks() {
    let mut succeeded = 0;
    for text in corpus() {
        let status = check(parsed(&text).expect("a request")).await;
        succeeded += usize::from(status == 200);
    }
    assert!(succeeded >= 30, "most requests of the corpus succeed: {succeeded}");
}

#[tokio::test(start_paused = true)]
async fn damaged_request_is_answered_and_changes_nothing() {
    const ODD: [u8; 10] = *b"\"{}[%&=9\x01\xff";
    let (mut refused, mut succeeded) = (0, 0);
    for text in corpus() {
        // The step is not a power of two, so it reaches every kind of character.
        for place in (0..text.len()).step_by(3) {
            let mut scribbled = text.clone();
            scribbled[place] = ODD[place / 3 % ODD.len()];
            let mut longer = text.clone();
            longer.insert(place, b'9');
            for damaged in [&text[..place], &scribbled, &longer] {
                // The simulation never receives text that is not an HTTP request.
                let Some(request) = parsed(damaged) else { continue };
                if check(request).await == 200 { succeeded += 1 } else { refused += 1 }
            }
        }
    }
    assert!(refused > 1_000 && succeeded > 100, "{refused} refused, {succeeded} succeeded");
}
