from portal.gateways.mssante.twin.process import main

main()
