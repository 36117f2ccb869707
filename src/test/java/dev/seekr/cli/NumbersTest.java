package dev.seekr.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Numbers that no run can be of end in one line with their limit, and nothing is made. */
class NumbersTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          generate examples/nano Hi --max-new-tokens 2147483647 | 64 | --max-new-tokens is 2147483647; expected 1 to
          generate examples/nano Hi --max-new-tokens 0          | 64 | --max-new-tokens is 0; expected 1 to
          generate examples/nano Hi --max-new-tokens 2147483648 | 64 | '2147483648' is not an int
          eval eval.max_new_tokens=2147483647 | 78 | 'eval.max_new_tokens' must be 1 to 1048576, but is 2147483647
          train data.max_prompt=2147483647    | 78 | 'data.max_prompt' must be 1 to 1048576, but is 2147483647
          train run.threads=5000              | 78 | 'run.threads' must be 0 to 1024, but is 5000
          train train.beta2=0.999999999999    | 78 | 'train.beta2' must be at least 0 and below 1, but is 0.999999999999, which as a 32-bit float is 1.0
          train train.beta1=0.99999999        | 78 | 'train.beta1' must be at least 0 and below 1, but is 0.99999999, which as a 32-bit float is 1.0
          train method.seekr.lambda2=1e300    | 78 | 'method.seekr.lambda2' must be 0 or more, but is 1.0E300, which as a 32-bit float is Infinity
          train train.lr=1e39                 | 78 | 'train.lr' must be above 0, but is 1.0E39, which as a 32-bit float is Infinity
          train train.eps=1e-50               | 78 | 'train.eps' must be above 0, but is 1.0E-50, which as a 32-bit float is 0.0
          plan --memory NaN                   | 64 | --memory is NaN; expected a size above 0
          plan --memory -5                    | 64 | --memory is -5.0; expected a size above 0
          plan --memory Infinity              | 64 | --memory is Infinity; expected a size above 0
          bench step examples/nano --sequences 2147483647 --tokens 2147483647 | 64 | expected at least 1 sequence of
          bench generate examples/nano --prompts 2147483647 --tokens 2147483647 | 64 | expected at least 1 prompt of
          """)
  void outOfBounds(String line, int code, String message) {
    var words = new ArrayList<>(List.of(line.split(" ")));
    if (words.getFirst().matches("eval|train|plan")) words.addAll(1, Tiny.SETTINGS);
    Path out = folder.resolve("run");
    if (words.getFirst().equals("train")) words.add("run.out=" + out);
    var run = CommandLineRun.of(words.toArray(String[]::new));
    assertThat(run.err().lines().findFirst().orElseThrow()).startsWith("seekr: ").contains(message);
    assertThat(run.err().lines()).hasSize(code == 64 ? 2 : 1); // and where help is
    assertThat(run.code()).isEqualTo(code);
    assertThat(run.out()).isEmpty();
    assertThat(out).doesNotExist();
  }
}
