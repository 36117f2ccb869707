package dev.seekr;

import java.time.Duration;

/** Asks to stop at the n-th chance between two pieces of work. */
public final class StopAtChance extends Stop {
  private int left, chances;

  public StopAtChance(int n) {
    super(Duration.ofDays(1));
    left = n;
  }

  /** How often there was one. */
  public int chances() {
    return chances;
  }

  @Override
  public boolean requested() {
    chances++;
    if (--left <= 0) request();
    return super.requested();
  }
}
