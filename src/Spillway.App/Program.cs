using Spillway.App.Cli;

return await Commands.RunAsync(args).ConfigureAwait(false);
