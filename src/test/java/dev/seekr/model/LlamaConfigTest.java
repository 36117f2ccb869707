package dev.seekr.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.seekr.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LlamaConfigTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;
  private ObjectNode json;

  @BeforeEach
  void readOne() throws IOException {
    json = (ObjectNode) JSON.readTree(Path.of("examples/nano/config.json").toFile());
  }

  private LlamaConfig read() throws IOException {
    Files.writeString(folder.resolve("config.json"), json.toString());
    return LlamaConfig.read(folder);
  }

  /** A field that cannot be is named with what may be there; it is not passed over in silence. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          bos_token_id            | 999999     | a whole number from 0 to 4095
          bos_token_id            | -5         | a whole number from 0 to 4095
          bos_token_id            | 1.0        | a whole number from 0 to 4095
          eos_token_id            | 999999     | whole numbers from 0 to 4095
          eos_token_id            | -7         | whole numbers from 0 to 4095
          eos_token_id            | "2"        | whole numbers from 0 to 4095
          eos_token_id            | [2, 4096]  | whole numbers from 0 to 4095
          rms_norm_eps            | 1e300      | a positive, finite number
          rms_norm_eps            | 0          | a positive, finite number
          rms_norm_eps            | "1e-5"     | a positive, finite number
          rope_theta              | 1e400      | a positive, finite number
          rope_theta              | "abc"      | a positive, finite number
          rope_theta              | -1         | a positive, finite number
          num_hidden_layers       | 2147483647 | a whole number from 1 to 10000
          num_hidden_layers       | 0          | a whole number from 1 to 10000
          num_attention_heads     | 2147483647 | a whole number from 1 to 1048576
          num_key_value_heads     | 3          | a multiple of num_key_value_heads 3
          num_key_value_heads     | 0          | a whole number from 1 to 1048576
          head_dim                | 2147483646 | a whole number from 1 to 1048576
          head_dim                | 15         | an even number: rotary embedding needs pairs
          head_dim                | 1048576    | heads of at most 8388608 channels together
          hidden_size             | 0          | a whole number from 1 to 1048576
          vocab_size              | 2147483647 | a whole number from 1 to 16777216
          intermediate_size       | "384"      | a whole number from 1 to 8388608
          max_position_embeddings | 0          | a whole number from 1 to 16777216
          tie_word_embeddings     | "true"     | true or false
          attention_bias          | true       | false: such biases are not supported
          pad_token_id            | 4096       | a whole number from -1 to 4095
          hidden_act              | "gelu"     | "silu", which alone is supported
          rope_scaling            | 5          | an object
          """)
  void fields(String name, String value, String expected) throws IOException {
    json.set(name, JSON.readTree(value));
    var failure = catchThrowableOfType(Failure.class, this::read);
    assertThat(failure).isNotNull();
    assertThat(failure.exit.code).isEqualTo(65);
    boolean byAnother = expected.startsWith("a multiple") || expected.startsWith("heads of");
    assertThat(failure.getMessage())
        .hasLineCount(1)
        .startsWith(folder + "/config.json: " + (byAnother ? "num_attention_heads" : name) + " is ")
        .endsWith("; expected " + expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"\"gemma2\"", "\"LLAMA\"", "null"})
  void otherFamilies(String type) throws IOException {
    json.set("model_type", JSON.readTree(type));
    String families =
        Stream.of(Family.values()).map(Family::type).collect(Collectors.joining(", "));
    assertThat(catchThrowableOfType(Failure.class, this::read))
        .hasMessageContaining("model_type")
        .hasMessageEndingWith("; expected one of " + families + "; other models are not read");
  }

  @Test
  void defaults() throws IOException {
    for (String name :
        new String[] {
          "bos_token_id",
          "eos_token_id",
          "rms_norm_eps",
          "rope_theta",
          "head_dim",
          "max_position_embeddings"
        }) json.remove(name);
    var config = read();
    assertThat(config.bos()).isEqualTo(-1);
    assertThat(config.eos()).isEmpty();
    assertThat(config.eps()).isEqualTo(1e-6f);
    assertThat(config.heads().HS()).isEqualTo(16);
    assertThat(config.maxPositions()).isEqualTo(2048);
    assertThat(config.rope().freq()[1]).isEqualTo(1f / (float) Math.pow(10000, 2 / 16f));
    json.putNull("eos_token_id");
    assertThat(read().eos()).isEmpty();
  }

  /** Fields that are not there mean another thing in each family, and null another than nothing. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      textBlock =
          """
          mistral | sliding_window      | -    | window 4096 4096 4096 4096
          mistral | sliding_window      | null | window 0 0 0 0
          mistral | sliding_window      | 3    | window 3 3 3 3
          mistral | num_key_value_heads | -    | kv 8
          mistral | num_key_value_heads | null | kv 8
          llama   | num_key_value_heads | -    | kv 8
          smollm3 | num_key_value_heads | -    | kv 4
          smollm3 | num_key_value_heads | null | kv 8
          qwen3   | head_dim            | -    | head 128
          qwen2   | head_dim            | -    | head 16
          llama   | tie_word_embeddings | -    | tied false
          smollm3 | tie_word_embeddings | -    | tied true
          smollm3 | no_rope_layers      | -    | rope true true true false
          smollm3 | no_rope_layers      | [0, 1, 0, 0, 1] | rope false true false false
          smollm3 | no_rope_layer_interval | 2 | rope true false true false
          qwen2   | use_sliding_window  | false | window 0 0 0 0
          qwen2   | max_window_layers   | 3    | window 0 0 0 0
          qwen2   | layer_types         | ["full_attention", "full_attention", "full_attention", "full_attention"] | window 0 0 0 0
          mistral | max_position_embeddings | - | positions 131072
          llama   | max_position_embeddings | - | positions 2048
          """)
  void families(String family, String name, String value, String expected) throws IOException {
    json.put("model_type", family);
    if (value == null) json.remove(name);
    else json.set(name, JSON.readTree(value));
    var c = read();
    String found =
        switch (expected.split(" ")[0]) {
          case "window" -> words(c.forms().stream().map(f -> f.window()));
          case "rope" -> words(c.forms().stream().map(f -> f.rope()));
          case "kv" -> "" + c.heads().NKV();
          case "head" -> "" + c.heads().HS();
          case "tied" -> "" + c.tied();
          default -> "" + c.maxPositions();
        };
    assertThat(found).isEqualTo(expected.substring(expected.indexOf(' ') + 1));
    var form = c.form(0);
    assertThat(form.qkvBias()).isEqualTo(family.equals("qwen2"));
    assertThat(form.qkNorm()).isEqualTo(family.equals("qwen3"));
  }

  private static String words(Stream<?> values) {
    return values.map(String::valueOf).collect(Collectors.joining(" "));
  }

  /**
   * The window is where the family has it: from a layer on, on layers without rotation, or listed.
   */
  @Test
  void windows() throws IOException {
    json.put("model_type", "qwen3").put("use_sliding_window", true).put("sliding_window", 5);
    json.put("max_window_layers", 3);
    assertThat(words(read().forms().stream().map(f -> f.window()))).isEqualTo("0 0 0 5");
    json.set(
        "layer_types",
        JSON.readTree(
            "[\"sliding_attention\",\"full_attention\",\"sliding_attention\",\"full_attention\"]"));
    assertThat(words(read().forms().stream().map(f -> f.window()))).isEqualTo("5 0 5 0");
    json.put("model_type", "smollm3");
    assertThat(words(read().forms().stream().map(f -> f.window()))).isEqualTo("5 0 5 0");
    json.remove("layer_types");
    assertThat(words(read().forms().stream().map(f -> f.window()))).isEqualTo("0 0 0 5");
  }

  /** What would change the computation and is not done ends the reading, by its name. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          llama   | sliding_window       | 4096   | sliding_window 4096: not heeded here
          llama   | layer_types          | ["sliding_attention","full_attention","full_attention","full_attention"] | full_attention alone, since
          qwen2   | layer_types          | ["full_attention"] | one for each of 4 layers
          qwen2   | layer_types          | ["linear_attention","full_attention","full_attention","full_attention"] | full_attention or sliding_attention
          qwen3   | layer_types          | ["sliding_attention","full_attention","full_attention","full_attention"] | full_attention alone, since
          mistral | layer_types          | ["sliding_attention","full_attention","full_attention","full_attention"] | all the same, as mistral has them
          smollm3 | no_rope_layers       | [1, 1] | 1 (rotates) or 0 for each of 4 layers
          smollm3 | mlp_bias             | true   | false: such biases are not supported
          qwen3   | attention_bias       | true   | false: such biases are not supported
          llama   | attention_dropout    | 0.1    | attention_dropout 0.1: not heeded here
          llama   | residual_multiplier  | 0.22   | residual_multiplier 0.22: not heeded here
          llama   | repetition_penalty   | 1.1    | repetition_penalty 1.1: not heeded here
          llama   | quantization_config  | {"bits": 4} | save the model in float32, float16 or bfloat16 first
          """)
  void notDone(String family, String name, String value, String expected) throws IOException {
    json.put("model_type", family);
    json.set(name, JSON.readTree(value));
    var failure = catchThrowableOfType(Failure.class, this::read);
    assertThat(failure).isNotNull();
    assertThat(failure.exit.code).isEqualTo(65);
    assertThat(failure.getMessage())
        .hasLineCount(1)
        .startsWith(folder + "/config.json: " + name)
        .contains(expected);
  }

  @Test
  void endsOfGenerationCount() throws IOException {
    Path generation = folder.resolve("generation_config.json");
    Files.writeString(
        generation,
        "{\"eos_token_id\": [7, 2], \"do_sample\": true, \"temperature\": 0.6, \"pad_token_id\": 0}");
    assertThat(read().eos()).containsExactly(2, 7);
    assertThat(read().bos()).isEqualTo(1);
    json.remove("eos_token_id");
    json.remove("bos_token_id");
    Files.writeString(generation, "{\"eos_token_id\": 9, \"bos_token_id\": 5}");
    assertThat(read().eos()).containsExactly(9);
    assertThat(read().bos()).isEqualTo(5);
    assertThat(read().json().has("eos_token_id")).as("not in config.json").isFalse();
    for (var row :
        Map.of(
                "{\"eos_token_id\": 4096}",
                "eos_token_id is 4096; expected whole numbers from 0 to 4095",
                "{\"repetition_penalty\": 1.1}",
                "repetition_penalty 1.1: not heeded here, so that results may not be the model's;"
                    + " where that is meant, model.ignore: [repetition_penalty]",
                "{\"suppress_tokens\": [3]}",
                "suppress_tokens [3]: not heeded here",
                "{\"warp\": 1}",
                "warp 1: not heeded here")
            .entrySet()) {
      Files.writeString(generation, row.getKey());
      var failure = catchThrowableOfType(Failure.class, this::read);
      assertThat(failure.exit.code).isEqualTo(65);
      assertThat(failure.getMessage()).contains("generation_config.json: " + row.getValue());
    }
    Files.writeString(generation, "{\"repetition_penalty\": 1.1}");
    assertThat(LlamaConfig.read(folder, Set.of("repetition_penalty")).eos()).isEmpty();
  }

  /** A saved model says what it was trained with, also what it took for granted. */
  @Test
  void defaultsAreWritten() throws IOException {
    json.put("model_type", "mistral").put("made_up", 1);
    for (String name : new String[] {"rope_theta", "rms_norm_eps", "head_dim"}) json.remove(name);
    Files.writeString(folder.resolve("config.json"), json.toString());
    var config = LlamaConfig.read(folder, Set.of("made_up"));
    assertThat(config.json().path("sliding_window").intValue()).isEqualTo(4096);
    assertThat(config.json().path("rope_theta").doubleValue()).isEqualTo(10_000);
    assertThat(config.json().path("rms_norm_eps").doubleValue()).isEqualTo(1e-6);
    assertThat(config.json().path("head_dim").intValue()).isEqualTo(16);
    assertThat(config.json().has("made_up")).isFalse();
    json = config.json();
    assertThat(read()).usingRecursiveComparison().isEqualTo(config);
  }

  @Test
  void severalEndsAndTheirOrder() throws IOException {
    json.set("eos_token_id", JSON.readTree("[4095, 0]"));
    assertThat(read().eos()).containsExactly(4095, 0);
    assertThat(read().parameters()).isEqualTo(1_311_872);
  }
}
