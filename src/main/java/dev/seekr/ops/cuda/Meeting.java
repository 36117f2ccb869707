package dev.seekr.ops.cuda;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.seekr.distributed.Wire;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** How processes that are no group yet tell each other a line. */
interface Meeting {
  /** Bytes that a line has at most, in UTF-8. */
  int MOST = 1000;

  /**
   * Waits for all.
   *
   * @return what each process said, by rank
   */
  List<String> gather(String mine);

  /** By a wire that is there already. */
  static Meeting over(Wire wire) {
    return mine -> {
      int room = MOST + 1; // and a 0
      if (mine.getBytes(StandardCharsets.UTF_8).length > MOST)
        throw new IllegalArgumentException("too long: " + mine);
      try (var arena = Arena.ofConfined()) {
        var said = arena.allocate(room);
        said.setString(0, mine);
        var all = arena.allocate((long) room * wire.ranks(), JAVA_BYTE.byteAlignment());
        wire.gather(said, all, room);
        var lines = new ArrayList<String>();
        for (int r = 0; r < wire.ranks(); r++) lines.add(all.getString((long) r * room));
        return lines;
      }
    };
  }
}
