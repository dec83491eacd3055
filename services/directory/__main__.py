from services.directory.commands import main

main()
