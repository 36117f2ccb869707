package dev.seekr;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Stop.Stopped;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** By a clock that goes when the test says so. */
class StopTest {
  private static final Duration GRACE = Duration.ofSeconds(20);

  private long now = Long.MAX_VALUE - 1_000_000_000L; // it overflows within a second
  private final Stop stop = new Stop(GRACE, () -> now);

  private void pass(double seconds) {
    now += (long) (seconds * 1e9);
  }

  private void goesOn() {
    assertThatCode(stop::poll).doesNotThrowAnyException();
  }

  private void isGivenUp() {
    assertThatThrownBy(stop::poll).isInstanceOf(Stopped.class).hasMessage("stopped");
  }

  @Test
  void nobodyAsks() {
    pass(1e6);
    goesOn();
    assertThat(stop.requested()).isFalse();
    assertThatThrownBy(stop::now).isInstanceOf(Stopped.class);
  }

  @Test
  void aStepIsLeftItsGrace() {
    assertThat(stop.request()).isTrue();
    assertThat(stop.requested()).isTrue();
    goesOn();
    pass(20);
    goesOn();
    now++;
    isGivenUp();
  }

  /** Tools signal a process and then its group: that is one wish. */
  @Test
  void signals() {
    assertThat(stop.hear()).isEqualTo(Stop.Heard.FIRST);
    assertThat(stop.requested()).isTrue();
    assertThat(stop.late()).isFalse();
    pass(0.999);
    assertThat(stop.hear()).isEqualTo(Stop.Heard.SAME);
    pass(0.001);
    assertThat(stop.hear()).isEqualTo(Stop.Heard.AGAIN);
  }

  /** The first signal after a deadline ends nothing at once. */
  @Test
  void aSignalAfterTheDeadline() {
    stop.within(Duration.ofMillis(1500));
    pass(2);
    assertThat(stop.requested()).isTrue();
    assertThat(stop.late()).isTrue();
    assertThat(stop.hear()).isEqualTo(Stop.Heard.FIRST);
  }

  /** The second signal is told from the first, and lengthens nothing. */
  @Test
  void askedTwice() {
    assertThat(stop.request()).isTrue();
    pass(15);
    assertThat(stop.request()).isFalse();
    assertThat(stop.request()).isFalse();
    pass(5.5);
    isGivenUp();
  }

  @Test
  void theGraceOfTheSettings() {
    stop.grace(Duration.ofSeconds(2));
    stop.request();
    pass(3);
    isGivenUp();
    stop.grace(Duration.ZERO);
    isGivenUp();
    stop.grace(Duration.ofSeconds(4));
    goesOn();
  }

  /**
   * No step is begun that would take the time to save; one that takes it all the same is dropped.
   */
  @Test
  void aDeadlineLeavesTimeToSave() {
    stop.within(Duration.ofSeconds(100));
    stop.reserve(Duration.ofSeconds(10), Duration.ofSeconds(20));
    pass(69.9);
    assertThat(stop.requested()).isFalse();
    goesOn();
    pass(0.1);
    goesOn(); // a step that has begun is not asked about the next one
    assertThat(stop.requested()).isTrue();
    assertThat(stop.request()).as("asked already").isFalse();
    pass(9.9);
    goesOn();
    pass(0.1);
    isGivenUp();
  }

  /** Within a long step, nobody having asked before. */
  @Test
  void theTimeToSaveComesWithinAStep() {
    stop.within(Duration.ofSeconds(100));
    stop.reserve(Duration.ofSeconds(1), Duration.ofSeconds(20));
    assertThat(stop.requested()).isFalse();
    pass(79.9);
    goesOn();
    pass(0.1);
    isGivenUp();
    assertThat(stop.requested()).isTrue();
    assertThat(stop.request()).as("asked already").isFalse();
  }

  /** The grace counts where there is more time than that. */
  @Test
  void askedBeforeTheDeadline() {
    stop.within(Duration.ofSeconds(100));
    stop.reserve(Duration.ofSeconds(10), Duration.ofSeconds(20));
    stop.request();
    pass(20);
    goesOn();
    now++;
    isGivenUp();
  }

  @Test
  void aDeadlineThatIsOver() {
    stop.within(Duration.ofSeconds(-5));
    assertThat(stop.requested()).isTrue();
    assertThat(new Stop(GRACE, () -> now)).matches(s -> !s.requested());
  }

  @Test
  void aReserveLongerThanWhatIsLeft() {
    stop.within(Duration.ofSeconds(10));
    stop.reserve(Duration.ofHours(1), Duration.ZERO);
    goesOn();
    assertThat(stop.requested()).isTrue();
    stop.reserve(Duration.ZERO, Duration.ofHours(1));
    isGivenUp();
  }

  /** Times of centuries are as good as for ever, and times long ago are over. */
  @ParameterizedTest
  @ValueSource(longs = {1_000_000_000L, 10_000_000_000L, 86_399_999_999L, Long.MAX_VALUE})
  void endlessTimes(long seconds) {
    stop.grace(Duration.ofSeconds(seconds));
    stop.within(Duration.ofSeconds(seconds));
    stop.reserve(Duration.ofSeconds(1), Duration.ofSeconds(1));
    pass(1e8);
    assertThat(stop.requested()).isFalse();
    stop.request();
    pass(1e8);
    goesOn();
    var past = new Stop(GRACE, () -> now);
    past.within(Duration.ofSeconds(-seconds));
    assertThat(past.requested()).isTrue();
  }

  @Test
  void neverIsForNobody() {
    assertThatIllegalStateException()
        .isThrownBy(Stop.NEVER::request)
        .withMessage("nobody stops this");
    assertThat(Stop.NEVER.requested()).isFalse();
    assertThatCode(Stop.NEVER::poll).doesNotThrowAnyException();
  }
}
