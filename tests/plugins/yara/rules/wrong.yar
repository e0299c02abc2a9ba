/* Does not compile: the plugin names it and goes on with the others. */
rule wrong
{
  condition:
    not_there
}
