//! Several ranks in threads of one process: sums, gathers, and ranks that fail or leave.

use super::*;
use crate::{Alone, even_shares};

/// Runs `work` on each of `size` ranks, and returns what they return.
fn on_ranks<T: Send>(size: usize, work: impl Fn(&dyn Collectives) -> T + Sync) -> Vec<T> {
    let ranks = Tcp::in_threads(size).unwrap();
    std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = ranks.into_iter().map(|rank| scope.spawn(move || work(&rank))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Values whose sum depends on the order.
fn values(rank: usize, n: usize) -> Vec<f32> {
    (0..n)
        .map(|i| ((rank * 7919 + i * 104_729) % 1000) as f32 * 10f32.powi((rank as i32 * 3 + i as i32) % 7))
        .collect()
}

fn sum_in_order(size: usize, n: usize) -> Vec<f32> {
    let mut sum = values(0, n);
    for rank in 1..size {
        sum.iter_mut().zip(values(rank, n)).for_each(|(sum, value)| *sum += value);
    }
    sum
}

#[test]
fn every_rank_gets_the_sum_in_the_order_of_the_ranks() {
    for (size, n) in [(1, 5), (2, 1), (2, 1000), (3, 100_003), (4, 17)] {
        let expected = sum_in_order(size, n);
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        for sum in on_ranks(size, |ranks| {
            let mut sum = values(ranks.rank(), n);
            ranks.all_reduce_f32(&mut sum).unwrap();
            sum
        }) {
            assert_eq!(bits(&sum), bits(&expected), "{size} ranks");
        }
        let lengths: Vec<usize> = even_shares(n, size).map(|share| share.len()).collect();
        let pieces = on_ranks(size, |ranks| ranks.reduce_scatter_f32(&values(ranks.rank(), n), &lengths).unwrap());
        assert_eq!(bits(&pieces.concat()), bits(&expected), "{size} ranks");
    }
}

#[test]
fn gathers_and_broadcasts_bring_what_each_rank_has() {
    for size in [1, 3] {
        for found in on_ranks(size, |ranks| {
            let own = values(ranks.rank(), ranks.rank()); // the first has none
            let gathered = ranks.all_gather_f32(&own).unwrap();
            let mut sums = [1.5, ranks.rank() as f64];
            ranks.all_reduce_f64(&mut sums).unwrap();
            let last = ranks.size() - 1;
            let told = ranks.broadcast(last, format!("from {}", ranks.rank()).as_bytes()).unwrap();
            let mut copied = values(ranks.rank(), 10);
            ranks.broadcast_f32(last, &mut copied).unwrap();
            ranks.barrier().unwrap();
            (gathered, sums, told, copied)
        }) {
            let expected: Vec<f32> = (0..size).flat_map(|rank| values(rank, rank)).collect();
            let of_ranks = (0..size).sum::<usize>() as f64;
            let told = format!("from {}", size - 1).into_bytes();
            assert_eq!(found, (expected, [1.5 * size as f64, of_ranks], told, values(size - 1, 10)));
        }
    }
    let mut one = [2.0];
    Alone.all_reduce_f64(&mut one).unwrap();
    assert_eq!((one, Alone.all_gather_f32(&[1.0]).unwrap()), ([2.0], vec![1.0]));
}

#[test]
fn a_rank_sends_what_the_cost_model_says() {
    let (size, n) = (4, 4096);
    let sent = on_ranks(size, |ranks| {
        ranks.all_reduce_f32(&mut values(ranks.rank(), n)).unwrap();
        let reduced = ranks.sent_bytes();
        ranks.all_gather_f32(&values(ranks.rank(), 10)).unwrap();
        (reduced, ranks.sent_bytes() - reduced)
    });
    let of_sum = 2 * (size as u64 - 1) * 4 * n as u64 / size as u64;
    assert_eq!(sent, vec![(of_sum, (size as u64 - 1) * 40); size]);
}

#[test]
fn what_waits_for_a_rank_that_failed_is_told_why() {
    let found = on_ranks(3, |ranks| match ranks.rank() {
        1 => {
            ranks.abort("the disk is full");
            String::new()
        }
        _ => ranks.barrier().unwrap_err().to_string(),
    });
    assert_eq!((found[0].as_str(), found[2].as_str()), ("rank 1 failed: the disk is full", found[0].as_str()));
}

#[test]
fn a_rank_that_ends_without_a_word_is_noticed_by_all() {
    let mut ranks = Tcp::in_threads(3).unwrap();
    let gone = ranks.remove(1);
    // As the kernel does when the process is killed.
    for (_, peer) in gone.others() {
        peer.stream().shutdown(Shutdown::Both).unwrap();
    }
    let started = Instant::now();
    for rank in &ranks {
        let error = rank.barrier().unwrap_err();
        assert!(matches!(error, RankError::Lost { rank: 1, .. }), "{error}");
    }
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_rank_that_left_is_no_failure_until_it_is_waited_for() {
    let mut ranks = Tcp::in_threads(2).unwrap();
    let (last, first) = (ranks.pop().unwrap(), ranks.pop().unwrap());
    let leaving = std::thread::spawn(move || drop(last));
    let error = first.barrier().unwrap_err();
    assert!(matches!(error, RankError::Left { rank: 1 }), "{error}");
    drop(first);
    leaving.join().unwrap();
}

#[test]
fn ranks_at_different_operations_are_told_so() {
    let found = on_ranks(2, |ranks| {
        let mut values = vec![1f32; 10 + ranks.rank()];
        let summed = ranks
            .reduce_scatter_f32(&values, &[5, 5 + ranks.rank()])
            .and_then(|_| ranks.all_reduce_f32(&mut values));
        summed.inspect_err(|err| ranks.abort(&err.to_string()))
    });
    let errors: Vec<String> =
        found.into_iter().filter_map(|found| found.err().map(|err| err.to_string())).collect();
    assert!(errors.iter().any(|error| error.contains("different operations")), "{errors:?}");
}
