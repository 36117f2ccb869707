package dev.seekr.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.seekr.Failure;
import dev.seekr.config.Changed;
import dev.seekr.config.DataSettings;
import dev.seekr.config.DataSettings.TooLong;
import dev.seekr.config.RunConfig;
import dev.seekr.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class EncodedTaskTest {
  private static final Example SHORT = new Example("the", "is");
  private static final Example LONG_PROMPT =
      new Example("the answer is yes the answer", List.of("is"), "a.json: record 2");
  private static final Example LONG_ANSWER =
      new Example("the", List.of("Question: good"), "a.json: record 3");

  private static Tokenizer tokenizer;

  @BeforeAll
  static void load() {
    tokenizer = Tokenizer.load(Path.of("src/test/resources/tokenizer"));
  }

  @AfterAll
  static void close() {
    tokenizer.close();
  }

  private static DataSettings data(TooLong tooLong) {
    return Changed.of(RunConfig.DEFAULT.data(), "maxPrompt", 5, "maxAnswer", 4, "tooLong", tooLong);
  }

  private static EncodedTask encode(TooLong tooLong, List<Example> train, Example test) {
    var data = data(tooLong);
    return EncodedTask.of(
        new Task("t", train, List.of(), List.of(test), false),
        new SampleEncoder(tokenizer, data, 0, 1),
        data);
  }

  private static final List<Example> ALL = List.of(SHORT, LONG_PROMPT, LONG_ANSWER, LONG_ANSWER);

  @Test
  void whatIsCutIsCounted() {
    var task = encode(TooLong.cut, ALL, LONG_PROMPT);
    assertThat(task.samples()).hasSize(4);
    assertThat(task.samples().get(0).tokens()).endsWith(1);
    assertThat(task.samples().get(2).tokens()).doesNotContain(1);
    assertThat(task.leftOut()).isZero();
    assertThat(task.promptsCut()).isEqualTo(1);
    assertThat(task.answersCut()).isEqualTo(2);
    assertThat(task.testPromptsCut()).isEqualTo(1);
    assertThat(task.longest()).isEqualTo(7);
    assertThat(task.median()).isEqualTo(6);
    assertThat(task.notes(data(TooLong.cut), 6))
        .containsExactly(
            "t: 2 of 4 answers are cut, and EOS is not taught (data.max_answer 4; data.too_long: cut, skip or fail)",
            "t: 1 of 4 prompts are cut on the left (data.max_prompt 5; data.too_long: cut, skip or fail)",
            "t: 1 of 1 test prompts are cut on the left (data.max_prompt 5)",
            "t: its longest sequence has 7 tokens, and the model knows 6 positions (max_position_embeddings): what it learns beyond is uncertain");
    assertThat(encode(TooLong.cut, List.of(SHORT), SHORT).notes(data(TooLong.cut), 7)).isEmpty();
  }

  @Test
  void whatIsTooLongIsLeftOut() {
    var task = encode(TooLong.skip, ALL, LONG_PROMPT);
    assertThat(task.samples()).containsExactly(encode(TooLong.cut, ALL, SHORT).samples().get(0));
    assertThat(task.leftOut()).isEqualTo(3);
    assertThat(task.notes(data(TooLong.skip), 9).getFirst())
        .contains("2 of 4 answers are left out");
    fails(TooLong.skip, List.of(LONG_ANSWER), SHORT, "t: all 1 training samples are longer than");
  }

  @Test
  void whatIsTooLongEndsTheRun() {
    assertThat(encode(TooLong.fail, List.of(SHORT), SHORT).samples()).hasSize(1);
    fails(
        TooLong.fail, ALL, SHORT, "a.json: record 2: the prompt is longer than data.max_prompt 5");
    fails(
        TooLong.fail,
        List.of(SHORT, LONG_ANSWER),
        SHORT,
        "a.json: record 3: the answer is longer than data.max_answer 4");
    fails(TooLong.fail, List.of(SHORT), LONG_PROMPT, "a.json: record 2: the prompt is");
  }

  private static void fails(TooLong tooLong, List<Example> train, Example test, String message) {
    assertThatThrownBy(() -> encode(tooLong, train, test))
        .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
        .hasMessageStartingWith(message);
  }
}
