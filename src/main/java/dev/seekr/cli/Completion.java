package dev.seekr.cli;

import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Commands and options for a shell to complete. */
@Command(
    name = "completion",
    description = "Prints a shell script for completing commands and options.",
    footer = {
      "",
      "bash: source <(seekr completion bash)",
      "zsh:  autoload -U +X bashcompinit && bashcompinit && source <(seekr completion zsh)"
    })
final class Completion implements Runnable {
  /** Shells that the same script serves. */
  private enum Shell {
    bash,
    zsh
  }

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "SHELL", description = "bash or zsh.")
  private Shell shell;

  @Override
  public void run() {
    var out = spec.commandLine().getOut();
    out.print(AutoComplete.bash("seekr", spec.root().commandLine()));
    out.flush();
  }
}
