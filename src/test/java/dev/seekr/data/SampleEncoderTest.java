package dev.seekr.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Failure;
import dev.seekr.config.Changed;
import dev.seekr.config.DataSettings.LossOn;
import dev.seekr.config.DataSettings.Tokenize;
import dev.seekr.config.RunConfig;
import dev.seekr.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class SampleEncoderTest {
  private static final int BOS = 0;
  private static final int EOS = 1;

  /** Tokens 263 274 266 222 90 269. */
  private static final String PROMPT = "the answer is yes";

  /** Tokens 280 269 262 289 27 278. */
  private static final String ANSWER = "Question: good";

  private static Tokenizer tokenizer;

  @BeforeAll
  static void load() {
    tokenizer = Tokenizer.load(Path.of("src/test/resources/tokenizer"));
  }

  @AfterAll
  static void close() {
    tokenizer.close();
  }

  private static SampleEncoder encoder(int maxPrompt, int maxAnswer, boolean bos, LossOn lossOn) {
    return encoder(maxPrompt, maxAnswer, bos, lossOn, Tokenize.apart);
  }

  private static SampleEncoder joint(int maxPrompt, int maxAnswer, boolean bos) {
    return encoder(maxPrompt, maxAnswer, bos, LossOn.answer, Tokenize.joint);
  }

  private static SampleEncoder encoder(
      int maxPrompt, int maxAnswer, boolean bos, LossOn lossOn, Tokenize tokenize) {
    var data =
        Changed.of(
            RunConfig.DEFAULT.data(),
            "maxPrompt",
            maxPrompt,
            "maxAnswer",
            maxAnswer,
            "bos",
            bos,
            "lossOn",
            lossOn,
            "tokenize",
            tokenize);
    return new SampleEncoder(tokenizer, data, BOS, EOS);
  }

  private static SampleEncoder encoder(int maxPrompt, int maxAnswer) {
    return encoder(maxPrompt, maxAnswer, true, LossOn.answer);
  }

  private static Sample encode(SampleEncoder encoder) {
    return encoder.encode(new Example(PROMPT, ANSWER)).sample();
  }

  @Test
  void bosPromptAnswerEos() {
    var sample = encode(encoder(1024, 512));
    assertThat(sample.tokens())
        .containsExactly(BOS, 263, 274, 266, 222, 90, 269, 280, 269, 262, 289, 27, 278, EOS);
    assertThat(sample.answerStart()).isEqualTo(7);
    assertThat(sample.targets()).as("the answer and EOS").isEqualTo(7);
  }

  @Test
  void thePromptIsCutOnTheLeftAndBosStays() {
    var fits = encode(encoder(7, 512));
    assertThat(fits.answerStart()).isEqualTo(7);
    var sample = encode(encoder(4, 512));
    assertThat(Arrays.copyOf(sample.tokens(), 5)).containsExactly(BOS, 222, 90, 269, 280);
    assertThat(sample.answerStart()).isEqualTo(4);
    for (int maxPrompt : new int[] {1, 0}) {
      assertThat(encode(encoder(maxPrompt, 512)).tokens()).startsWith(BOS, 280).hasSize(8);
    }
  }

  @Test
  void aCutAnswerDoesNotEnd() {
    assertThat(encode(encoder(1, 7)).tokens())
        .containsExactly(BOS, 280, 269, 262, 289, 27, 278, EOS);
    assertThat(encode(encoder(1, 6)).tokens())
        .as("EOS is the first to go")
        .containsExactly(BOS, 280, 269, 262, 289, 27, 278);
    assertThat(encode(encoder(1, 2)).tokens()).containsExactly(BOS, 280, 269);
    assertThat(encode(encoder(1, 1)).tokens()).containsExactly(BOS, 280);
  }

  @Test
  void whatIsCutIsSaid() {
    cut(1024, 512, false, false);
    cut(7, 7, false, false);
    cut(6, 7, true, false);
    cut(7, 6, false, true);
    cut(1, 1, true, true);
  }

  private static void cut(int maxPrompt, int maxAnswer, boolean prompt, boolean answer) {
    var cut = encoder(maxPrompt, maxAnswer).encode(new Example(PROMPT, ANSWER));
    assertThat(cut.promptCut()).isEqualTo(prompt);
    assertThat(cut.answerCut()).isEqualTo(answer);
    assertThat(cut.any()).isEqualTo(prompt || answer);
  }

  @Test
  void promptAndAnswerAreTokenisedApart() {
    var sample = encoder(1024, 512).encode(new Example("the ans", "wer")).sample();
    int[] expected = {BOS};
    expected = concat(expected, tokenizer.encode("the ans"));
    expected = concat(expected, tokenizer.encode("wer"));
    assertThat(sample.tokens()).containsExactly(concat(expected, new int[] {EOS}));
    assertThat(sample.length()).isGreaterThan(2 + tokenizer.encode("the answer").length);
  }

  /**
   * "the ans" and "wer" merge: the text has fewer tokens than its parts, and as many targets as the
   * answer has of its own begin in the prompt or behind the merged token.
   */
  @Test
  void jointTextMergesAcrossTheBoundary() {
    int[] text = tokenizer.encode("the answer"), own = tokenizer.encode("wer");
    assertThat(text.length).isLessThan(tokenizer.encode("the ans").length + own.length);
    var sample = joint(1024, 512, true).encode(new Example("the ans", "wer")).sample();
    assertThat(sample.tokens())
        .containsExactly(concat(concat(new int[] {BOS}, text), new int[] {EOS}));
    assertThat(sample.targets()).isEqualTo(own.length + 1);
    var all =
        encoder(1024, 512, true, LossOn.all, Tokenize.joint)
            .encode(new Example("the ans", "wer"))
            .sample();
    assertThat(all.tokens()).isEqualTo(sample.tokens());
    assertThat(all.answerStart()).isEqualTo(1);
  }

  /** Where nothing merges both are the same. */
  @Test
  void jointTextWithoutAMergeIsThatOfItsParts() {
    assertThat(joint(1024, 512, true).encode(new Example("the", " joy")))
        .isEqualTo(encoder(1024, 512).encode(new Example("the", " joy")));
  }

  /** Cut on the left to the room of both; EOS where there is room, then BOS. */
  @Test
  void jointTextIsCutOnTheLeft() {
    int[] text = tokenizer.encode(PROMPT + ANSWER);
    int own = tokenizer.encode(ANSWER).length, n = text.length;
    for (int room = 2; room <= n + 3; room++) {
      for (boolean bos : new boolean[] {true, false}) {
        var sample = encode(joint(room / 2, room - room / 2, bos));
        int kept = Math.min(n, room);
        int[] expected = Arrays.copyOfRange(text, n - kept, n);
        if (kept < room) expected = concat(expected, new int[] {EOS});
        if (bos && kept + 1 < room) expected = concat(new int[] {BOS}, expected);
        assertThat(sample.tokens()).as("room for %d", room).containsExactly(expected);
        int targets = Math.min(own, room) + (own < room ? 1 : 0);
        assertThat(sample.targets()).isEqualTo(Math.min(targets, expected.length - 1));
        var cut = joint(room / 2, room - room / 2, bos).encode(new Example(PROMPT, ANSWER));
        assertThat(cut.promptCut()).isEqualTo(room < n);
        assertThat(cut.answerCut()).as("no room for EOS").isEqualTo(room <= n);
      }
    }
  }

  @Test
  void jointPromptsHaveBosWhereTheyAreNotCut() {
    int[] text = tokenizer.encode(PROMPT);
    for (int room = 1; room <= text.length + 2; room++) {
      int[] prompt = joint(room, 8, true).prompt(new Example(PROMPT, ANSWER));
      int kept = Math.min(text.length, room);
      int[] expected = Arrays.copyOfRange(text, text.length - kept, text.length);
      assertThat(prompt)
          .containsExactly(kept < room ? concat(new int[] {BOS}, expected) : expected);
    }
    assertThat(joint(8, 8, true).prompt(new Example("", ""))).containsExactly(BOS);
    fails(joint(8, 8, false), new Example("", ""), "expected two tokens at least, found 1");
  }

  @Test
  void everyTokenButTheFirstIsATargetWhenAskedFor() {
    var sample = encode(encoder(1024, 512, true, LossOn.all));
    assertThat(sample.answerStart()).isEqualTo(1);
    assertThat(sample.targets()).isEqualTo(13);
    assertThat(sample.tokens()).containsExactly(encode(encoder(1024, 512)).tokens());
  }

  @Test
  void withoutBosThePromptHasAllTheRoom() {
    var sample = encode(encoder(4, 512, false, LossOn.answer));
    assertThat(Arrays.copyOf(sample.tokens(), 5)).containsExactly(266, 222, 90, 269, 280);
    assertThat(sample.answerStart()).isEqualTo(4);
  }

  @Test
  void generationStartsFromTheTokensThatWereTrainedOn() {
    for (boolean bos : new boolean[] {true, false}) {
      for (int maxPrompt : new int[] {1, 2, 3, 6, 7, 8, 1024}) {
        var encoder = encoder(maxPrompt, 512, bos, LossOn.answer);
        var sample = encode(encoder);
        assertThat(encoder.prompt(new Example(PROMPT, ANSWER)))
            .containsExactly(Arrays.copyOf(sample.tokens(), sample.answerStart()))
            .hasSize(Math.min(maxPrompt, bos ? 7 : 6));
      }
    }
  }

  @Test
  void textThatSpellsEosKeepsItAndEosStillEnds() {
    var sample = encoder(1024, 512).encode(new Example("a", "b</s>")).sample();
    assertThat(sample.tokens()).containsExactly(BOS, 66, 67, EOS, EOS);
  }

  @Test
  void failuresNameTheExample() {
    fails(encoder(8, 512), new Example(PROMPT, ""), "answer of at least one token");
    fails(encoder(8, 0), new Example(PROMPT, ANSWER), "data.max_answer 0");
    fails(encoder(8, -5), new Example(PROMPT, ANSWER), "data.max_answer -5");
    fails(encoder(8, 8, false, LossOn.answer), new Example("", ANSWER), "expected BOS or a prompt");
    fails(
        encoder(0, 8, false, LossOn.answer),
        new Example(PROMPT, ANSWER),
        "expected BOS or a prompt");
    assertThat(encoder(8, 8).prompt(new Example("", ""))).containsExactly(BOS);
  }

  private static void fails(SampleEncoder encoder, Example example, String message) {
    var placed = new Example(example.prompt(), example.answers(), "train.json: record 3");
    assertThatThrownBy(() -> encoder.encode(placed))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
        .hasMessageStartingWith("train.json: record 3: ")
        .hasMessageContaining(message);
  }

  private static int[] concat(int[] a, int[] b) {
    int[] out = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, out, a.length, b.length);
    return out;
  }
}
