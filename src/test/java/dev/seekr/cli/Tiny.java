package dev.seekr.cli;

import java.util.ArrayList;
import java.util.List;

/** Command lines of runs that are as short as they can be, of two tasks. */
final class Tiny {
  static final List<String> SETTINGS =
      List.of(
          "model.path=examples/nano",
          "data.root=examples/superni",
          "data.tasks=[task363, task1687]",
          "data.max_prompt=24",
          "data.train_limit=4",
          "data.test_limit=1",
          "method.name=seqft",
          "train.epochs=1",
          "train.batch=2",
          "train.lr=1e-3",
          "eval.max_new_tokens=2",
          "run.save_models=false");

  private Tiny() {}

  /** A command, these settings, and more of them or options. */
  static CommandLineRun run(String command, Object... more) {
    var words = new ArrayList<String>();
    words.add(command);
    words.addAll(SETTINGS);
    if (command.equals("compare")) words.remove("method.name=seqft"); // it names them itself
    for (Object word : more) words.add(word.toString());
    return CommandLineRun.of(words.toArray(String[]::new));
  }
}
