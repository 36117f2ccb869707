package dev.seekr.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.Child;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SignalsTest {
  /** The first asks, and is said to have been heard; the second ends the process. */
  @ParameterizedTest
  @CsvSource({"TERM, TERM", "INT, HUP", "USR1, INT", "HUP, USR1"})
  void theFirstAsksAndTheSecondEnds(String first, String second) {
    try (var child = new Child(Signalled.class)) {
      assertThat(child.out()).isEqualTo("hears");
      child.say("?");
      assertThat(child.out()).isEqualTo("false");
      child.signal(first);
      assertThat(child.err())
          .isEqualTo("seekr: %s: the run stops when this step is done and saved", first);
      child.say("?");
      assertThat(child.out()).isEqualTo("true");
      child.signal(second);
      child.say("a second");
      assertThat(child.out()).as("several at once are one").isEqualTo("true");
      child.signal(second);
      assertThat(child.err())
          .isEqualTo("seekr: %s, after a signal before: stopped at once", second);
      assertThat(child.exit()).isEqualTo(75);
      assertThat(child.out()).isNull();
    }
  }

  /** As nohup starts it. */
  @Test
  void whatIsIgnoredStaysIgnored() {
    String command =
        String.join(
            " ",
            Child.command(List.of(), Signalled.class).stream()
                .map(word -> "'" + word + "'")
                .toList());
    var shell = List.of("sh", "-c", "trap '' HUP USR1; exec " + command);
    try (var child = new Child(shell, Map.of())) {
      assertThat(child.out()).isEqualTo("hears");
      child.signal("HUP");
      child.signal("USR1");
      child.signal("TERM"); // it comes after those
      assertThat(child.err()).startsWith("seekr: TERM: the run stops");
      child.say("?");
      assertThat(child.out()).isEqualTo("true");
      child.signal("HUP");
      child.say("?");
      assertThat(child.out()).isEqualTo("true");
      child.endInput();
      assertThat(child.exit()).isZero();
    }
  }
}
