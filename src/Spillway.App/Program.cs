using System.CommandLine;
using Spillway.App.Load;

var root = new RootCommand("spillway");
root.Add(LoadCommand.Create());
return await root.Parse(args).InvokeAsync();
