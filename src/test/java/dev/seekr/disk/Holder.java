package dev.seekr.disk;

import dev.seekr.Failure;
import java.nio.file.Path;
import java.util.Scanner;

/**
 * A process that takes a folder: says "has it, attempt N", then writes each line that it is told
 * into the folder's file {@code x} and says "written"; or says what keeps it from that.
 */
final class Holder {
  private Holder() {}

  public static void main(String[] args) {
    Path folder = Path.of(args[0]);
    var in = new Scanner(System.in);
    try (var attempt = Attempt.take(folder, 1)) {
      System.out.println("has it, attempt " + attempt.number());
      while (in.hasNextLine()) {
        Disk.write(folder.resolve("x"), in.nextLine());
        System.out.println("written");
      }
    } catch (Failure e) {
      System.out.println(e.exit.code + " " + e.getMessage());
    }
  }
}
