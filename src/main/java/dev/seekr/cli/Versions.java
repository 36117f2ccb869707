package dev.seekr.cli;

import picocli.CommandLine.IVersionProvider;

/** The version, from the jar's manifest. */
final class Versions implements IVersionProvider {
  static String seekr() {
    String version = Main.class.getPackage().getImplementationVersion();
    return version == null ? "(not from a jar)" : version;
  }

  @Override
  public String[] getVersion() {
    return new String[] {"seekr " + seekr()};
  }
}
