package dev.seekr.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.Failure;
import dev.seekr.config.Changed;
import dev.seekr.config.RunConfig;
import dev.seekr.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates of public models, with the nano model's tokenizer, as transformers used both. */
class ChatTemplateTest {
  private static final Path CHAT = Path.of("src/test/resources/chat");
  private static final int BOS = 1, EOS = 2;

  @TempDir Path folder;

  @BeforeEach
  void tokenizer() throws IOException {
    Files.copy(Path.of("examples/nano/tokenizer.json"), folder.resolve("tokenizer.json"));
  }

  /** Calls what the tokenizer has for BOS and EOS by other names. */
  private void named(String bos, String eos) throws IOException {
    Path file = folder.resolve("tokenizer.json");
    String text = Files.readString(file).replace("\"<s>\"", '"' + bos + '"');
    Files.writeString(file, text.replace("\"</s>\"", '"' + eos + '"'));
  }

  private ChatTemplate load(Tokenizer tokenizer, String template) {
    return ChatTemplate.load(folder, CHAT.resolve(template), tokenizer, BOS, EOS);
  }

  private static Example example(JsonNode messages, int question) {
    var before = new ArrayList<Message>();
    for (int i = 0; i < question; i++) before.add(message(messages.path(i)));
    boolean answered = question + 1 < messages.size();
    String answer = answered ? message(messages.path(question + 1)).text() : "-";
    return new Example(message(messages.path(question)).text(), List.of(answer), before, "here");
  }

  private static Message message(JsonNode json) {
    return new Message(json.path("role").textValue(), json.path("content").textValue());
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama2.jinja", "vicuna.jinja"})
  void tokensAreThoseOfTransformers(String template) throws IOException {
    JsonNode all = new ObjectMapper().readTree(CHAT.resolve("expected.json").toFile());
    int questions = 0, answers = 0;
    try (var tokenizer = Tokenizer.load(folder)) {
      var chat = load(tokenizer, template);
      assertThat(chat.end()).isEqualTo(EOS);
      for (JsonNode c : all.path("conversations")) {
        if (!c.path("template").textValue().equals(template) || c.has("raises")) continue;
        JsonNode messages = c.path("messages");
        int last = messages.size() - 1;
        boolean asks = messages.path(last).path("role").textValue().equals("user");
        int[] expected =
            StreamSupport.stream(c.path("ids").spliterator(), false)
                .mapToInt(JsonNode::intValue)
                .toArray();
        if (asks && c.path("generate").booleanValue()) {
          questions++;
          assertThat(chat.prompt(example(messages, last))).as("%s", c).isEqualTo(expected);
        } else if (!asks && last > 0 && !c.path("generate").booleanValue()) {
          answers++;
          var example = example(messages, last - 1);
          int[] prompt = chat.prompt(example), answer = chat.answer(example);
          int[] both = Arrays.copyOf(prompt, prompt.length + answer.length);
          System.arraycopy(answer, 0, both, prompt.length, answer.length);
          assertThat(both).as("%s", c).isEqualTo(expected);
        }
      }
    }
    assertThat(questions).isGreaterThanOrEqualTo(2);
    assertThat(answers).isGreaterThanOrEqualTo(2);
  }

  /** What stands behind the end of an answer is not learnt. */
  @ParameterizedTest
  @CsvSource({
    "qwen2.jinja, <|im_start|>, <|im_end|>, yes<|im_end|>",
    "qwen2.5.jinja, <|im_start|>, <|im_end|>, yes<|im_end|>",
    "smollm2.jinja, <|im_start|>, <|im_end|>, yes<|im_end|>",
    "llama3.jinja, <|begin_of_text|>, <|eot_id|>, yes<|eot_id|>",
    "llama3-first.jinja, <|begin_of_text|>, <|eot_id|>, yes<|eot_id|>",
    "llama2.jinja, <s>, </s>, ' yes </s>'",
    "vicuna.jinja, <s>, </s>, ' yes</s>'"
  })
  void theAnswerAloneIsLearntUpToItsEnd(String template, String bos, String eos, String learnt)
      throws IOException {
    named(bos, eos);
    var data = Changed.of(RunConfig.DEFAULT.data(), "chat", CHAT.resolve(template).toString());
    try (var tokenizer = Tokenizer.load(folder)) {
      var chat = load(tokenizer, template);
      var encoder = new SampleEncoder(tokenizer, data, BOS, EOS, chat);
      var before = List.of(new Message("user", "a"), new Message("assistant", "b"));
      var example = new Example("is it?", List.of("yes"), before, "here");
      Sample sample = encoder.encode(example).sample();
      int[] answer = Arrays.copyOfRange(sample.tokens(), sample.answerStart(), sample.length());
      assertThat(tokenizer.decode(answer, false).strip()).isEqualTo(learnt.strip());
      assertThat(answer).endsWith(EOS).containsOnlyOnce(EOS);
      assertThat(sample.prompt())
          .isEqualTo(encoder.prompt(example))
          .isEqualTo(chat.prompt(example));
      assertThat(tokenizer.decode(sample.prompt(), false)).contains("is it?").contains("b");
      assertThat(encoder.ends(List.of(7))).isEqualTo(Set.of(7, EOS));
    }
  }

  @Test
  void whatIsTooLongIsCutBesideBos() throws IOException {
    var data =
        Changed.of(RunConfig.DEFAULT.data(), "chat", "template", "maxPrompt", 6, "maxAnswer", 2);
    try (var tokenizer = Tokenizer.load(folder)) {
      var chat = load(tokenizer, "llama2.jinja");
      var encoder = new SampleEncoder(tokenizer, data, BOS, EOS, chat);
      var example = new Example("is it a long question?", "a long answer to it");
      var cut = encoder.encode(example);
      assertThat(cut.promptCut()).isTrue();
      assertThat(cut.answerCut()).isTrue();
      int[] whole = chat.prompt(example), kept = cut.sample().prompt();
      assertThat(kept).hasSize(6).startsWith(BOS);
      assertThat(Arrays.copyOfRange(kept, 1, 6))
          .isEqualTo(Arrays.copyOfRange(whole, whole.length - 5, whole.length));
      assertThat(cut.sample().targets()).isEqualTo(2);
      assertThat(cut.sample().tokens()).doesNotContain(EOS);
    }
  }

  @Test
  void aModelHasItsTemplateInOneOfTwoFiles() throws IOException {
    try (var tokenizer = Tokenizer.load(folder)) {
      assertThatThrownBy(() -> ChatTemplate.load(folder, null, tokenizer, BOS, EOS))
          .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(78))
          .hasMessageStartingWith(folder + ": has no chat template");
      Path config = folder.resolve("tokenizer_config.json");
      String text = "{{ messages[0].content + '!' + messages[1:] | length | string + eos_token }}";
      String simple =
          "{% for m in messages %}{{ m.role[0] + m.content + eos_token }}{% endfor %}"
              + "{% if add_generation_prompt %}a{% endif %}";
      var json = new ObjectMapper().createObjectNode().put("chat_template", simple);
      Files.writeString(config, json.toString());
      assertThat(rendered(tokenizer)).isEqualTo("uq</s>a");
      json.putArray("chat_template").addObject().put("name", "tool_use").put("template", text);
      Files.writeString(config, json.toString());
      assertThatThrownBy(() -> rendered(tokenizer)).hasMessageContaining("has no chat template");
      json.withArray("chat_template")
          .addObject()
          .put("name", "default")
          .put("template", simple.replace("m.role[0]", "bos_token").replace("}a{", "}[B]{"));
      json.putObject("bos_token").put("content", "[B]");
      Files.writeString(config, json.toString());
      assertThat(rendered(tokenizer)).isEqualTo("[B]q</s>[B]");
      Files.writeString(folder.resolve("chat_template.jinja"), simple);
      assertThat(rendered(tokenizer)).as("a file of its own wins").isEqualTo("uq</s>a");
    }
  }

  private String rendered(Tokenizer tokenizer) {
    return ChatTemplate.load(folder, null, tokenizer, BOS, EOS)
        .render(List.of(new Message("user", "q")), true, "here");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '@',
      textBlock =
          """
          {% for m in messages %}{{ m.content }}{% endfor %} @ ends answers with "", which is no special token
          {% for m in messages %}{{ m.content }}.{% endfor %} @ ends answers with ".", which is no special token
          {{ messages[0].content }} @ does not print answers
          {{ messages | length }} @ prints a conversation otherwise once it is answered
          {{ messages[0].x.y }} @ undefined 'x' is asked for 'y'
          """)
  void templatesThatCannotBeUsed(String template, String message) throws IOException {
    Path file = Files.writeString(folder.resolve("chat_template.jinja"), template);
    try (var tokenizer = Tokenizer.load(folder)) {
      assertThatThrownBy(() -> ChatTemplate.load(folder, null, tokenizer, BOS, EOS))
          .isInstanceOfSatisfying(Failure.class, f -> assertThat(f.exit.code).isEqualTo(65))
          .hasMessageStartingWith(file + ":")
          .hasMessageContaining(message);
    }
  }

  @Test
  void whatATemplateRefusesIsSaidWithItsPlace() {
    try (var tokenizer = Tokenizer.load(folder)) {
      var chat = load(tokenizer, "llama2.jinja");
      var example =
          new Example("q", List.of("a"), List.of(new Message("user", "b")), "d.jsonl: line 4");
      assertThatThrownBy(() -> chat.prompt(example))
          .isInstanceOf(Failure.class)
          .hasMessageStartingWith("d.jsonl: line 4: ")
          .hasMessageContaining("llama2.jinja:1: the template says: Conversation roles must");
    }
  }
}
