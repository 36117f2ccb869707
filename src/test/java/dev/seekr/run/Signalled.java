package dev.seekr.run;

import dev.seekr.Stop;
import java.time.Duration;
import java.util.Scanner;

/** A process that hears signals, and says for each line that it is told whether it shall stop. */
final class Signalled {
  private Signalled() {}

  public static void main(String[] args) {
    var stop = new Stop(Duration.ZERO);
    Signals.to(stop);
    System.out.println("hears");
    for (var in = new Scanner(System.in); in.hasNextLine(); in.nextLine())
      System.out.println(stop.requested());
  }
}
