package dev.seekr.run;

import dev.seekr.StopClock;
import java.time.Duration;
import java.util.Scanner;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A process that hears signals, and says for each line that it is told whether it shall stop. Its
 * clock goes on by a second with each line "a second".
 */
final class Signalled {
  private Signalled() {}

  public static void main(String[] args) {
    var now = new AtomicLong();
    var stop = StopClock.stop(Duration.ZERO, now::get);
    Signals.to(stop);
    System.out.println("hears");
    for (var in = new Scanner(System.in); in.hasNextLine(); ) {
      if (in.nextLine().equals("a second")) now.addAndGet(1_000_000_000);
      System.out.println(stop.requested());
    }
  }
}
