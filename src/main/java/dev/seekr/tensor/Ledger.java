package dev.seekr.tensor;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** Bytes that memories hold, now and at most, in all and by tag. */
public final class Ledger {
  /** Everything this process really holds, on the host and on devices. */
  public static final Ledger PROCESS = new Ledger();

  /** Bytes now, and the most there ever were. */
  private record Account(AtomicLong live, AtomicLong peak) {
    Account() {
      this(new AtomicLong(), new AtomicLong());
    }

    void add(long bytes) {
      peak.accumulateAndGet(live.addAndGet(bytes), Math::max);
    }

    void reset() {
      peak.set(live.get());
    }
  }

  private final Account all = new Account();
  private final Map<String, Account> tags = new ConcurrentHashMap<>();

  /** Books {@code bytes}, negative when they are given back. */
  void add(String tag, long bytes) {
    tags.computeIfAbsent(tag, _ -> new Account()).add(bytes);
    all.add(bytes);
  }

  /** The most bytes held together since {@link #resetPeak}. */
  public long peak() {
    return all.peak.get();
  }

  /** As {@link #peak}, each tag by itself: their peaks need not come at the same time. */
  public Map<String, Long> peakByTag() {
    var peaks = new TreeMap<String, Long>();
    tags.forEach((tag, account) -> peaks.put(tag, account.peak.get()));
    return peaks;
  }

  public void resetPeak() {
    all.reset();
    tags.values().forEach(Account::reset);
  }
}
